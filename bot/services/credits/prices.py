"""The probable costs of tools."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

from bot.catalog import Catalog, Tool
from bot.domain.prices import Charges, Estimate
from bot.lifecycle.prices import expected_cost

MAX_PRICED_CHOICES = 256  # combinations of one tool's inputs that are looked at


@dataclass(frozen=True, slots=True)
class OtherPrice:
    """The probable cost of a tool with these `choices` in the place of its defaults."""

    choices: Mapping[str, str]
    price: Estimate


@dataclass(frozen=True, slots=True)
class ToolPrice:
    """The probable cost of a tool when nothing is chosen, and the known costs of other choices,
    the cheapest first."""

    tool: Tool
    price: Estimate
    others: tuple[OtherPrice, ...]

    @property
    def most(self) -> int:
        """Return the dearest that is known."""
        return max((self.price.amount, *(other.price.amount for other in self.others)))


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The probable costs of jobs with a server's key."""

    charges: Charges

    def of(self, tool: Tool, values: Mapping[str, str | None]) -> Estimate:
        """Return the price of a job with these values, and the tool's defaults for the others."""
        given = {name: value for name, value in values.items() if value}
        defaults = {one.name: one.default for one in tool.inputs if one.default is not None}
        return expected_cost(self.charges, tool, {**defaults, **given})

    def least(self, tool: Tool) -> Estimate:
        """Return the lowest price of the tool, with any choices.

        Inputs outside the catalogue cost no less: the dearest charge counts for them.
        """
        defaults = self.of(tool, {})
        return min([defaults, *(self.of(tool, one) for one in _choices(tool))], key=lambda one: one.amount)

    def least_of_all(self, catalog: Catalog) -> int:
        """Return the lowest price of any tool. If less is left, it can't be spent."""
        return min(self.least(tool).amount for tool in catalog.tools.values())

    def listed(self, tool: Tool) -> ToolPrice:
        """Return the tool's probable cost, and those of other choices that are known."""
        price = self.of(tool, {})
        others: list[OtherPrice] = []
        for choices in _choices(tool):
            other = self.of(tool, choices)
            # What is assumed is the same for all choices but the mode.
            told = other.learned or (
                set(choices) == {tool.output_from} and not isinstance(tool.assumed_cost, int)
            )
            if told and other.amount != price.amount:
                others.append(OtherPrice(choices, other))
        return ToolPrice(tool, price, tuple(sorted(others, key=lambda other: other.price.amount)))


def _choices(tool: Tool) -> Iterator[dict[str, str]]:
    """Return what the catalogue suggests besides the defaults, where it changes the price."""
    priced = [one for one in tool.inputs if one.price]
    values = [dict.fromkeys((one.default, *one.suggestions)) for one in priced]
    for chosen in islice(product(*values), 1, MAX_PRICED_CHOICES):
        yield {
            one.name: value
            for one, value in zip(priced, chosen, strict=True)
            if value is not None and value != one.default
        }
