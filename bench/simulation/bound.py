"""Compute a lower bound for the mean delay, which no policy can beat.

Every job may be polled k times on average, k being what uploads and submissions leave. With a price c for
each poll that finds the job still running, the best way to poll a single job is a small dynamic program; by
weak duality its value less c times k bounds the mean delay from below, for every c. How many requests may go
within a short time is left out, which only lowers the bound.
"""

from functools import cache
from itertools import accumulate, pairwise
from math import exp

from bench.simulation.loads import MIXES, USUAL, Load
from bot.engine.lane import Work

MIN_GAP_SECONDS = 1.0  # seconds
PRICES = [0.0, *(0.003 * 1.43**n for n in range(29))]  # up to some 67 s


def lower_bound(load: Load) -> float | None:
    """Return the bound in seconds, or None if the requests don't suffice for one poll of each job."""
    if load.polls < 1.0:
        return None
    mix = MIXES[load.mix]

    def value(price: float) -> float:
        return sum(share * _best(work, price) for work, share in mix.items()) - price * load.polls

    # Concave in the price: climb until it falls.
    best = value(PRICES[0])
    for price in PRICES[1:]:
        following = value(price)
        if following < best:
            break
        best = following
    return best


@cache
def _tables(work: Work) -> tuple[float, list[float], list[float]]:
    lasting = USUAL[work]
    step = lasting.median / 150
    cells = int(lasting.median * exp(3.3 * lasting.spread) / step)
    ended = [lasting.ended(n * step) for n in range(cells + 1)]
    between = ((low + high) / 2 * step for low, high in pairwise(ended))
    return step, ended, [0.0, *accumulate(between)]


@cache
def _best(work: Work, price: float) -> float:
    """Return the least expected delay plus price of polls of one job. From the last cell on it is free."""
    step, ended, area = _tables(work)
    last = len(ended) - 1
    least = max(1, round(MIN_GAP_SECONDS / step))
    ahead = [0.0] * (last + 1)
    for now in range(last - 1, -1, -1):
        done, so_far, shift = ended[now], area[now], now * step
        poll = price * (1.0 - done)
        first = min(now + least, last)
        gaps = zip(area[first:], ahead[first:], range(first, last + 1), strict=False)
        ahead[now] = poll + min(
            at - so_far - done * (place * step - shift) + rest for at, rest, place in gaps
        )
    return ahead[0]
