"""The probable costs of tools."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

from bot.catalog import Catalog, Tool
from bot.domain.prices import LEAST, Charges, Estimate, estimate
from bot.storage import Transaction

MOST_CHOICES = 256  # combinations of one tool's inputs that are looked at


@dataclass(frozen=True, slots=True)
class OtherPrice:
    """What a tool will probably cost with these `choices` in the place of its defaults."""

    choices: Mapping[str, str]
    price: Estimate


@dataclass(frozen=True, slots=True)
class ToolPrice:
    """What a tool will probably cost as it is when nothing is chosen, and what is known of other choices,
    the cheapest first."""

    tool: Tool
    price: Estimate
    others: tuple[OtherPrice, ...] = ()

    @property
    def most(self) -> int:
        """The dearest that is known."""
        return max((self.price.amount, *(other.price.amount for other in self.others)))


async def price_list(transaction: Transaction, catalog: Catalog, lane: str | None) -> tuple[ToolPrice, ...]:
    """Return every tool's probable cost with the key of that lane (or none), in the catalogue's order."""
    prices = _Prices(
        {} if lane is None else await transaction.prices.all(lane), await transaction.prices.all()
    )
    return tuple(_tool_price(tool, prices) for tool in catalog.tools.values())


@dataclass(frozen=True, slots=True)
class _Prices:
    """Last charges by tool and variant: with the server's key, and with any."""

    own: Mapping[tuple[str, str], int]
    any: Mapping[tuple[str, str], int]

    def of(self, tool: Tool, inputs: Mapping[str, str]) -> Estimate:
        name = (tool.slug, tool.variant(inputs))
        return estimate(tool.assumed(inputs), self.own.get(name), self.any.get(name), in_catalogue=True)


def _tool_price(tool: Tool, prices: _Prices) -> ToolPrice:
    defaults = {one.name: one.default for one in tool.inputs if one.default is not None}
    price = prices.of(tool, defaults)
    others: list[OtherPrice] = []
    for choices in _choices(tool):
        other = prices.of(tool, {**defaults, **choices})
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
    for chosen in islice(product(*values), 1, MOST_CHOICES):
        yield {
            one.name: value
            for one, value in zip(priced, chosen, strict=True)
            if value is not None and value != one.default
        }


def least_of(charges: Charges, tool: Tool) -> Estimate:
    """Return the least that a job of the tool costs, with any inputs."""
    charged = charges.least(tool.slug)
    if charged is None or charged > tool.least_assumed:
        return Estimate(tool.least_assumed, learned=False)
    return Estimate(max(LEAST, charged), learned=True)


def least_price(charges: Charges, catalog: Catalog) -> int:
    """Return the least that any job costs. If less is left, it can't be spent."""
    charged = charges.least()
    assumed = [tool.least_assumed for tool in catalog.tools.values()]
    return max(LEAST, min([*assumed, *([] if charged is None else [charged])]))
