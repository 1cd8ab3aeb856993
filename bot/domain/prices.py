"""Estimates of prices, and the rest of a budget."""

from dataclasses import dataclass

from bot.domain import Budget, Usage

LEAST = 1  # credits; an estimate of 0 would pass every budget


@dataclass(frozen=True, slots=True)
class Estimate:
    """Credits that a job will probably cost. `learned` means from charges with the same key, else assumed."""

    amount: int
    learned: bool


def left(budget: Budget, usage: Usage, grants: int = 0) -> int:
    """Return what may still be spent. Negative if a limit was lowered or a charge exceeded its estimate."""
    return budget.limit + grants - usage.spent


def estimate(assumed: int, charged: int | None, guess: int | None, in_catalogue: bool) -> Estimate:
    """Return the credits to reserve for a job, at least 1.

    `assumed` is the catalogue's figure, `charged` what the same tool and price-changing inputs were charged
    last with the same key. `guess` is what other keys were charged: they may have other prices, so it can
    raise the assumed figure and never lower it. Inputs outside the catalogue may cost anything: for them
    `guess` is the dearest charge seen, and the highest of all figures counts, so that they can't slip past a
    budget.
    """
    if charged is not None and in_catalogue:
        return Estimate(max(LEAST, charged), learned=True)
    known = [figure for figure in (charged, guess) if figure is not None]
    return Estimate(max(LEAST, assumed, *known), learned=charged is not None)
