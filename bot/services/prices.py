"""What a job will probably cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

from bot.catalog import Catalog, Tool
from bot.credits import Estimate, estimate
from bot.storage import Transaction

MOST_CHOICES = 256  # combinations of one tool's inputs that are looked at


@dataclass(frozen=True, slots=True)
class OtherPrice:
    """What a tool was charged at last with these `choices` in the place of its defaults."""

    choices: Mapping[str, str]
    charge: int  # credits


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
        return max((self.price.amount, *(other.charge for other in self.others)))


async def price_list(transaction: Transaction, catalog: Catalog) -> tuple[ToolPrice, ...]:
    """Every tool's probable cost, in the catalogue's order."""
    learned = await transaction.prices.all()
    return tuple(_tool_price(tool, learned) for tool in catalog.tools.values())


def _tool_price(tool: Tool, learned: Mapping[tuple[str, str], int]) -> ToolPrice:
    defaults = {one.name: one.default for one in tool.inputs if one.default is not None}
    last = learned.get((tool.slug, tool.variant(defaults)))
    price = estimate(tool.assumed_cost, last, None, in_catalogue=True)
    others: list[OtherPrice] = []
    for choices in _choices(tool):
        charge = learned.get((tool.slug, tool.variant({**defaults, **choices})))
        if charge is not None and charge != price.amount:
            others.append(OtherPrice(choices, charge))
    return ToolPrice(tool, price, tuple(sorted(others, key=lambda other: other.charge)))


def _choices(tool: Tool) -> Iterator[dict[str, str]]:
    """What the catalogue suggests besides the defaults, where it changes the price."""
    priced = [one for one in tool.inputs if one.price]
    values = [dict.fromkeys((one.default, *one.suggestions)) for one in priced]
    for chosen in islice(product(*values), 1, MOST_CHOICES):
        yield {
            one.name: value
            for one, value in zip(priced, chosen, strict=True)
            if value is not None and value != one.default
        }


async def price_of(transaction: Transaction, tool: Tool, inputs: Mapping[str, str]) -> Estimate:
    """The charge to expect, learned from any server's jobs where there were some.

    Studii's prices are the same for everyone, so what one server was charged holds for all.
    """
    known = tool.in_catalogue(inputs)
    learned = await transaction.prices.last(tool.slug, tool.variant(inputs))
    dearest = None if known else await transaction.prices.dearest(tool.slug, tool.mode(inputs))
    return estimate(tool.assumed_cost, learned, dearest, known)


async def least_of(transaction: Transaction, tool: Tool) -> Estimate:
    """No job of the tool costs less, whatever its inputs."""
    learned = await transaction.prices.least(tool.slug)
    if learned is None or learned > tool.assumed_cost:
        return Estimate(tool.assumed_cost, learned=False)
    return Estimate(learned, learned=True)


async def least_price(transaction: Transaction, catalog: Catalog) -> int:
    """No job costs less, whatever the tool and its inputs: what less is left cannot be spent."""
    learned = await transaction.prices.least()
    assumed = [tool.assumed_cost for tool in catalog.tools.values()]
    return min([*assumed, *([] if learned is None else [learned])])
