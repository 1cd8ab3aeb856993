"""What became of a crowd: who was answered, with what, and when."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.crowd.counts import Counts


@dataclass(frozen=True)
class Answer:
    """What one of the crowd got: `after` so many seconds (None: nothing), a card or a result (`accepted`),
    or the words of a refusal. `deferred`: Discord was asked for more time first; `apart`: Discord took no
    answer any more, and a message of the channel told of the job."""

    after: float | None
    accepted: bool
    words: str = ""
    deferred: bool = False
    apart: bool = False


@dataclass(frozen=True)
class Crowd:
    """What one crowd got, and what it took of the bot until the last answer (`processor`: seconds)."""

    size: int
    answers: Sequence[Answer]
    processor: float
    counts: Counts
    load: float
    ready: float
    memory: tuple[int, int]
    refusals: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        words = Counter(one.words for one in self.answers if one.after is not None and not one.accepted)
        object.__setattr__(self, "refusals", words)

    @property
    def answered(self) -> int:
        return sum(one.after is not None for one in self.answers)

    @property
    def accepted(self) -> int:
        return sum(one.accepted for one in self.answers)

    @property
    def deferred(self) -> int:
        return sum(one.deferred for one in self.answers)

    @property
    def apart(self) -> int:
        return sum(one.apart for one in self.answers)

    @property
    def untold(self) -> int:
        """Return how many got nothing at all."""
        return self.size - self.answered - self.apart

    def share(self, share: float) -> float | None:
        """Return the seconds within which that share of the answered were answered."""
        return share_of([one.after for one in self.answers if one.after is not None], share)

    def each(self, number: float) -> float:
        """Return a number for each of the crowd."""
        return number / self.size


def share_of(moments: Sequence[float], share: float) -> float | None:
    """Return the value below which that share of them lies, or None if there are none."""
    ordered = sorted(moments)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
