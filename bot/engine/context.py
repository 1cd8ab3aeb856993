"""What the steps of a job have in common: what they need, and what they hand back."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.aio.liveness import Liveness
from bot.clock import Clock
from bot.domain import Job, StudiiKey
from bot.engine.tuning import Tuning
from bot.media.spool import Spool
from bot.storage import Storage, Vault
from bot.studii import StudiiClient


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What the parts work with.

    `changed` is called after a change that people should see, `requeued` after one that the lanes have to
    learn of from the database. Both only set wake-ups. `posted` is told how many
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
    liveness: Liveness


@dataclass(frozen=True, slots=True)
class StepResult:
    """How the job stands after a step; None: it is not for this lane any more.

    `sent`: whether a request left us. `again`: leave the job alone for so many seconds. `limited`: Studii
    said 429; `retry_after` is what it asked for, in seconds. `unexpected`: the step met an error that nobody
    foresaw, and says nothing of the job.
    """

    job: Job | None
    sent: bool = True
    again: float | None = None
    limited: bool = False
    retry_after: float | None = None
    unexpected: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is ours for one step, and what to do it with."""

    job: Job
    key: StudiiKey
    secret: str = field(repr=False)
    was_held: bool = False
