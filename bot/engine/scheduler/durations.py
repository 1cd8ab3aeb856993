"""Learn how long jobs of each kind take from when polls found them finished. Pure.

An observation is an interval: a job was running at one poll and finished at the next. A density over
logarithmic cells is fitted to the newest intervals by a few rounds of EM, and smoothed as much as their
number requires. It starts from the catalogue's guess, which counts as a few jobs, and for less with each job
that is seen. A thin tail on both sides always stays, so that very wrong guesses, jobs that fail immediately
and cold starts are all possible.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import erfc, exp, log, sqrt
from typing import NamedTuple

FIRST = 0.25  # seconds; the first cell ends here
STEP = 0.08  # of the logarithm of time, for each following cell
CELLS = 190  # up to some ten days
REMEMBERED = 100  # newest observations of a kind
# A fit takes 0.3 ms or more. In a crowd, whose jobs end close together, not each of them has one.
FITTED_AGAIN_AFTER = 0.25  # seconds
FITTED_AGAIN_AT = 0.05  # new observations, as a share of all
GUESS_WEIGHT = 2.0  # the number of jobs that the guess counts as at first
GUESS_FADES = 5.0  # the number of seen jobs at which it counts for half of that
GUESS_SPREAD = 0.7  # standard deviation of the logarithm
TAIL_WEIGHT = 0.4
TAIL_SPREAD = 2.0
ROUNDS = 4
TOLD_FROM = 3  # seen jobs; with fewer there is only a guess, and people are told no time
MEAN_UP_TO = 0.98
MIN_SPREAD = 0.05
NEARLY_NEVER = 1e-6

_EDGES = [0.0, *(FIRST * exp(STEP * n) for n in range(CELLS))]
_WIDTHS = [high - low for low, high in pairwise(_EDGES)]
_CENTRES = [log(FIRST) + STEP * (n - 0.5) for n in range(CELLS)]
_LOG_FIRST = log(FIRST)

MIN_EXACT_TOTAL = 1e-6  # a total beside which the sums of others lose their last digits


class Parts(NamedTuple):
    """The first and the last cell that an interval touches, and the share of each that it covers.

    It covers all of those between.
    """

    first: int
    last: int
    of_first: float
    of_last: float


class Work(NamedTuple):
    """A kind of job: those of one tool and kind of output take similarly long."""

    tool: str
    output_kind: str


class Glance(NamedTuple):
    """A model's statement about a job that was running at an age, in seconds."""

    age: float
    ended: float  # the probability to have ended by that age, for any job
    area: float  # its integral up to that age
    running: float  # 1 - ended, but not zero


class Model:
    """The distribution of the durations of one kind of job, in seconds."""

    __slots__ = ("_areas", "_ended", "mean", "median")

    def __init__(self, masses: Sequence[float]) -> None:
        total = sum(masses)
        self._ended = [0.0, *(part / total for part in accumulate(masses))]
        cells = zip(_WIDTHS, self._ended, self._ended[1:], strict=False)
        self._areas = [0.0, *accumulate((low + high) / 2 * width for width, low, high in cells)]
        self.median = self.quantile(0.5)
        longest = self.quantile(MEAN_UP_TO)
        self.mean = longest - self._at(longest)[1]  # the longest ones cut short

    def glance(self, age: float) -> Glance:
        """Return what is known of a job that was running at that age."""
        ended, area = self._at(age)
        return Glance(age, ended, area, max(1.0 - ended, NEARLY_NEVER))

    def unseen(self, since: Glance, age: float) -> tuple[float, float]:
        """Return the probability that a job has ended, and for how many seconds it is expected to have been
        finished: A = ∫ P(ended by u | running at the last poll) du. `since`: at the last poll."""
        ended, area = self._at(age)
        waited = (area - since.area - since.ended * (age - since.age)) / since.running
        return min(1.0, (ended - since.ended) / since.running), max(0.0, waited)

    def due(self, since: Glance, price: float) -> float:
        """Return the age at which the expected unseen wait is worth a poll at `price` seconds."""
        wanted = price * since.running + since.area - since.ended * since.age
        # area(t) - ended * t never falls from the last poll on.
        low, high = _cell(since.age), CELLS - 1
        while low < high:
            middle = (low + high) // 2
            if self._areas[middle + 1] - since.ended * _EDGES[middle + 1] < wanted:
                low = middle + 1
            else:
                high = middle
        slope = (self._ended[low + 1] - self._ended[low]) / _WIDTHS[low] / 2
        rise = self._ended[low] - since.ended
        missing = wanted - (self._areas[low] - since.ended * _EDGES[low])
        root = sqrt(max(0.0, rise * rise + 4 * slope * missing))
        if rise < 0:  # the last poll was within this cell
            into = (root - rise) / (2 * slope) if slope > 0 else _WIDTHS[low]
        else:  # the form that stays exact when the slope is next to nothing
            into = 2 * missing / (rise + root) if rise + root > 0 else _WIDTHS[low]
        return max(since.age, _EDGES[low] + min(into, _WIDTHS[low]))

    def quantile(self, share: float) -> float:
        """Return the duration that this share of the jobs stays under."""
        place = min(max(bisect_left(self._ended, share), 1), CELLS)
        low, high = self._ended[place - 1], self._ended[place]
        return _EDGES[place - 1] + _WIDTHS[place - 1] * ((share - low) / (high - low) if high > low else 1.0)

    def left(self, age: float, share: float) -> float:
        """Return the seconds within which this share of the jobs running at that age will have ended."""
        now = self.glance(age)
        return max(0.0, self.quantile(now.ended + share * now.running) - age)

    def _at(self, age: float) -> tuple[float, float]:
        cell = _cell(age)
        into = min(age - _EDGES[cell], _WIDTHS[cell])
        ended = self._ended[cell]
        rise = (self._ended[cell + 1] - ended) * into / _WIDTHS[cell]
        beyond = max(0.0, age - _EDGES[CELLS])
        return ended + rise, self._areas[cell] + (ended + rise / 2) * into + beyond


class Durations:
    """The models of all kinds of work. `usually` gives the catalogue's guess, in seconds."""

    def __init__(self, usually: Callable[[Work], float]) -> None:
        self._usually = usually
        # Intervals as a fit needs them: finding their cells takes longer than all else of it.
        self._seen: dict[Work, deque[Parts]] = {}
        self._models: dict[Work, Model] = {}
        self._new: dict[Work, int] = {}  # observations that the model does not have yet
        self._fitted_at: dict[Work, float] = {}

    def restore(self, seen: Mapping[tuple[str, str], Iterable[tuple[float, float]]]) -> None:
        """Take over the intervals that an earlier process observed, oldest first."""
        for (tool, output_kind), intervals in seen.items():
            self._seen[Work(tool, output_kind)] = deque(
                (parts_of(low, high) for low, high in intervals), REMEMBERED
            )
        self._models.clear()
        self._new.clear()

    def learn(self, work: Work, low: float, high: float, now: float) -> None:
        """Learn at `now` that a job was running at the age of `low` seconds, and finished at `high`."""
        seen = self._seen.setdefault(work, deque(maxlen=REMEMBERED))
        seen.append(parts_of(low, max(low, high)))
        self._new[work] = self._new.get(work, 0) + 1
        fitted_at = self._fitted_at.get(work)
        rested = fitted_at is None or now - fitted_at >= FITTED_AGAIN_AFTER
        if rested or self._new[work] >= FITTED_AGAIN_AT * len(seen):
            # Now, so that no decision has to wait for it.
            self._models[work] = fit_model(self._usually(work), seen)
            self._new[work] = 0
            self._fitted_at[work] = now

    def known(self, work: Work) -> bool:
        """Return whether enough such jobs were seen to tell people how long they usually take."""
        return len(self._seen.get(work, ())) >= TOLD_FROM

    def doubt(self, work: Work) -> float:
        """Return how much of what is known is the guess: 1.0 if nothing was seen, less with each job."""
        return GUESS_WEIGHT / (GUESS_WEIGHT + len(self._seen.get(work, ())))

    def model(self, work: Work) -> Model:
        """Return how long such jobs take, as far as is known."""
        model = self._models.get(work)
        if model is None:
            model = self._models[work] = fit_model(self._usually(work), self._seen.get(work, ()))
        return model


def fit_model(guess: float, seen: Collection[Parts]) -> Model:
    """Return the model for a guess (the median, in seconds) and the intervals in which jobs ended."""
    before = _guess_masses(guess, GUESS_WEIGHT / (1.0 + len(seen) / GUESS_FADES))
    masses = before
    if seen:
        for _ in range(ROUNDS):
            masses = [one + more for one, more in zip(before, _smooth(_expect(masses, seen)), strict=True)]
    return Model(masses)


@lru_cache(maxsize=64)  # each new fit of a kind of work asks again
def _guess_masses(guess: float, weight: float) -> Sequence[float]:
    def ended(edge: float) -> float:
        if edge <= 0:
            return 0.0
        away = log(edge / guess)
        body, tail = away / GUESS_SPREAD, away / TAIL_SPREAD
        return weight * erfc(-body / sqrt(2)) / 2 + TAIL_WEIGHT * erfc(-tail / sqrt(2)) / 2

    by_edge = [ended(edge) for edge in _EDGES]
    return [high - low for low, high in pairwise(by_edge)]


def parts_of(low: float, high: float) -> Parts:
    """Return the cells of an interval."""
    first, last = _cell(low), _cell(high)
    if first == last:
        return Parts(first, last, 1.0, 0.0)
    of_first = (_EDGES[first + 1] - low) / _WIDTHS[first]
    return Parts(first, last, of_first, (min(high, _EDGES[last + 1]) - _EDGES[last]) / _WIDTHS[last])


def _expect(masses: Sequence[float], parts: Iterable[Parts]) -> list[float]:
    """Return how many observations fall into each cell; one is shared out by the cells' probabilities."""
    counts = [0.0] * CELLS
    # Intervals are long: what each adds to the cells between its ends is noted where it begins and ends.
    rises = [0.0] * (CELLS + 1)
    for first, last, of_first, of_last in parts:
        if first == last:
            counts[first] += 1.0
            continue
        at_first, at_last = masses[first] * of_first, masses[last] * of_last
        total = at_first + sum(masses[first + 1 : last]) + at_last
        if total < MIN_EXACT_TOTAL:
            _share_out(masses, Parts(first, last, of_first, of_last), counts)
            continue
        counts[first] += at_first / total
        counts[last] += at_last / total
        rises[first + 1] += 1.0 / total
        rises[last] -= 1.0 / total
    between = zip(counts, masses, accumulate(rises), strict=False)
    return [count + mass * risen for count, mass, risen in between]


def _share_out(masses: Sequence[float], parts: Parts, counts: list[float]) -> None:
    """Share out an observation that was next to impossible."""
    first, last, of_first, of_last = parts
    shares = [of_first, *[1.0] * (last - first - 1), of_last]
    weights = [mass * share for mass, share in zip(masses[first : last + 1], shares, strict=True)]
    total = sum(weights)
    if total <= 0:
        weights, total = shares, sum(shares) or 1.0
    for cell, weight in enumerate(weights, first):
        counts[cell] += weight / total


def _smooth(counts: Sequence[float]) -> list[float]:
    """Smooth by Silverman's rule; the guess's spread counts too while there are few observations."""
    number = sum(counts)
    counted = [(cell, count) for cell, count in enumerate(counts) if count > NEARLY_NEVER]
    mean = sum(count * _CENTRES[cell] for cell, count in counted) / number
    square = sum(count * (_CENTRES[cell] - mean) ** 2 for cell, count in counted)
    deviation = sqrt((square + GUESS_WEIGHT * GUESS_SPREAD**2) / (number + GUESS_WEIGHT))
    if number >= 8:
        deviation = min(deviation, max(MIN_SPREAD, _quartile_range(counts, number) / 1.34))
    width = max(MIN_SPREAD, 0.9 * deviation * number**-0.2)
    reach = int(3 * width / STEP) + 1
    kernel = [exp(-0.5 * (n * STEP / width) ** 2) for n in range(-reach, reach + 1)]
    scale = sum(kernel)
    wide = [0.0] * (CELLS + 2 * reach)
    for cell, count in counted:
        share = count / scale
        for n, part in enumerate(kernel, cell):
            wide[n] += share * part
    smooth = wide[reach : reach + CELLS]
    # Samples beyond the first and the last cell are added to them.
    smooth[0] += sum(wide[:reach])
    smooth[-1] += sum(wide[reach + CELLS :])
    return smooth


def _quartile_range(counts: Sequence[float], number: float) -> float:
    so_far = list(accumulate(counts))
    return STEP * (bisect_left(so_far, 0.75 * number) - bisect_left(so_far, 0.25 * number) + 1)


def _cell(age: float) -> int:
    if age < FIRST:
        return 0
    return min(int((log(age) - _LOG_FIRST) / STEP) + 1, CELLS - 1)
