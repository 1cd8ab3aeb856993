"""What a job will probably cost."""

from collections.abc import Mapping

from bot.catalog import Catalog, Tool
from bot.credits import Estimate, estimate
from bot.storage import Transaction


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
