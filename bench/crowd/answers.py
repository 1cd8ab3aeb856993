"""What became of a crowd: who was answered, with what, and when."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.crowd.counts import Counts


@dataclass(frozen=True)
class Answer:
    """What one member of the crowd got.

    `after` is the time until the first answer, in seconds, or None if there was none. With `accepted` it was
    progress or a result, otherwise a refusal with `words`. `deferred` means that Discord was asked for more
    time first.
    """

    after: float | None
    accepted: bool
    words: str = ""
    deferred: bool = False


@dataclass(frozen=True)
class Crowd:
    """What one crowd got, and what it took of the bot until the last answer (`processor`: seconds).

    `idle` and `memory` are the bytes of the bot and of its decoders: before its first commands, and after
    them, before anything is prepared for the crowd.
    """

    size: int
    answers: Sequence[Answer]
    processor: float
    counts: Counts
    load: float
    ready: float
    idle: tuple[int, int]
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
    def untold(self) -> int:
        """Return how many got nothing at all."""
        return self.size - self.answered

    def share(self, share: float) -> float | None:
        """Return the seconds within which that share of the answered were answered."""
        moments = [one.after for one in self.answers if one.after is not None]
        return share_of(moments, share) if moments else None

    def each(self, number: float) -> float:
        """Return a number for each of the crowd."""
        return number / self.size


def share_of(moments: Sequence[float], share: float) -> float:
    """Return the value below which that share of the moments lies. There has to be one."""
    ordered = sorted(moments)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
