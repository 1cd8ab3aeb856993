"""What the steps of a job have in common: what they need, and what they hand back."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.aio.liveness import Pulse
from bot.clock import Clock
from bot.domain import Job, StudiiKey
from bot.engine.in_flight import InFlightRequests
from bot.engine.scheduler.tuning import Tuning
from bot.media.spool import Spool
from bot.storage import Storage, Vault
from bot.studii import StudiiClient

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What the parts work with.

    `changed` is called after a change that people should see, `requeued` after one that the lanes have to
    learn of from the database. Both only ring bells. `posted` is told how many
    seconds after a job's end its message stood in Discord.
    """

    storage: Storage
    studii: StudiiClient
    vault: Vault
    spool: Spool
    clock: Clock
    tuning: Tuning
    changed: Callable[[], None]
    requeued: Callable[[], None]
    posted: Callable[[float], None]
    pulse: Pulse
    in_flight: InFlightRequests


@dataclass(frozen=True, slots=True)
class StepResult:
    """How the job stands after a step; None: it is not for this lane any more.

    `sent`: whether a request left us. `again`: leave the job alone for so many seconds. `limited`: Studii
    said 429; `retry_after` is what it asked for, in seconds. `unforeseen`: the step met an error that nobody
    foresaw, and says nothing of the job.
    """

    job: Job | None
    sent: bool = True
    again: float | None = None
    limited: bool = False
    retry_after: float | None = None
    unforeseen: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is ours for one step, and what to do it with."""

    job: Job
    key: StudiiKey
    secret: str = field(repr=False)
    was_held: bool = False


class Tries:
    """Counts, by job or by server, how often something has failed in a row; forgotten with the process.

    Who was counted longest ago goes first when there are too many: a job may end without anybody saying so.
    """

    def __init__(self) -> None:
        self._counts: dict[str | int, int] = {}

    def count(self, name: str | int) -> int:
        """One more; returns how many it are now."""
        times = self._counts.pop(name, 0) + 1
        self._counts[name] = times
        if len(self._counts) > MOST_COUNTED:
            del self._counts[next(iter(self._counts))]
        return times

    def forget(self, name: str | int) -> None:
        """It went well, or is over."""
        self._counts.pop(name, None)


def backoff(tries: int, first: float, bound: float) -> float:
    """Seconds to wait after the so-manieth failure in a row, from 1: doubles up to `bound`."""
    return min(bound, first * 2 ** min(tries - 1, 20))


def one_of(delays: tuple[float, ...], tries: int) -> float:
    """The so-manieth delay, from 1; the last one for all that follow."""
    return delays[min(tries, len(delays)) - 1]
