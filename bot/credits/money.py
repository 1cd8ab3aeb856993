"""How much is left, and what a job will probably cost."""

from dataclasses import dataclass

from bot.model import Budget, Usage


@dataclass(frozen=True, slots=True)
class Estimate:
    """Credits that a job will probably cost; `learned`: from what was charged before, else assumed."""

    amount: int
    learned: bool


def left(budget: Budget, usage: Usage, grants: int = 0) -> int:
    """What may still be spent; negative once a limit was lowered or a charge exceeded its estimate."""
    return budget.limit + grants - usage.spent


def estimate(tool_assumed: int, learned: int | None, dearest: int | None, in_catalogue: bool) -> Estimate:
    """Credits to reserve for a job.

    `tool_assumed` is the catalogue's figure, `learned` what the same tool and price-changing inputs were
    charged at last, `dearest` the most that any inputs of that tool were. Inputs outside the catalogue may
    cost anything: for them the highest figure of all counts, so that they can't slip past a budget.
    """
    if in_catalogue:
        return Estimate(tool_assumed, False) if learned is None else Estimate(learned, True)
    charged = max((charge for charge in (learned, dearest) if charge is not None), default=None)
    if charged is None or charged < tool_assumed:
        return Estimate(tool_assumed, False)
    return Estimate(charged, True)
