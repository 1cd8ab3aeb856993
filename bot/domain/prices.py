"""Estimates of prices."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

MIN_ESTIMATE_CREDITS = 1  # an estimate of 0 would pass every budget


@dataclass(frozen=True, slots=True)
class Estimate:
    """Credits that a job will probably cost. `learned` means from charges with the same key, else assumed."""

    amount: int
    learned: bool


def price_of_all(prices: Collection[Estimate]) -> Estimate:
    """Return what jobs of these prices will probably cost together."""
    return Estimate(sum(one.amount for one in prices), learned=all(one.learned for one in prices))


@dataclass(frozen=True, slots=True)
class Charges:
    """The last charges, by tool and variant: with one key, and with any key."""

    own: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    any: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def dearest(self, tool: str, mode: str | None) -> int | None:
        """Return the highest of the tool's variants; `mode` limits them to one mode, such as `mode=video`."""
        found = [
            charge
            for charges in (self.own, self.any)
            for (slug, variant), charge in charges.items()
            if slug == tool and (mode is None or f" {mode} " in f" {variant} ")
        ]
        return max(found, default=None)


def estimate(assumed: int, charged: int | None, guess: int | None, in_catalogue: bool) -> Estimate:
    """Return the credits to reserve for a job, at least 1.

    `assumed` is the catalogue's figure, `charged` what the same tool and price-changing inputs were charged
    last with the same key. `guess` is what other keys were charged: they may have other prices, so it can
    raise the assumed figure and never lower it. Inputs outside the catalogue may cost anything: for them
    `guess` is the dearest charge seen, and the highest of all figures counts, so that they can't slip past a
    budget.
    """
    if charged is not None and in_catalogue:
        return Estimate(max(MIN_ESTIMATE_CREDITS, charged), learned=True)
    known = [figure for figure in (charged, guess) if figure is not None]
    return Estimate(max(MIN_ESTIMATE_CREDITS, assumed, *known), learned=charged is not None)
