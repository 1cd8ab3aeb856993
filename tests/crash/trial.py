"""One trial: a job, a death (or several) at given points, and a life to the end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.model import JobState
from sandbox.studii.faults import (
    DropAfter,
    DropBefore,
    Endpoint,
    Fault,
    Malformed,
    Slow,
    Truncated,
    WrongShape,
    error,
    gone,
    proxy_error,
    rate_limited,
)
from tests.crash.life import ENDED
from tests.crash.world import KILLED, Worlds, Zygote

SHORT = 2.0  # seconds of patience in lives to which an answer is to be
TOO_SLOW = Slow(2.5, after=True)
MANY = 6  # times that a point is tried at which a library waits again and again


@dataclass(frozen=True)
class Trouble:
    """Something between the bot and Studii; `ambiguous`: it may hide whether a job was taken."""

    name: str
    endpoint: Endpoint
    fault: Fault
    ambiguous: bool = False


_SHARED: Sequence[tuple[str, Fault]] = (
    ("connection lost before", DropBefore()),
    ("502 with HTML", proxy_error(502)),
    ("500", error(500)),
    ("429", rate_limited(1)),
    ("429 without a word of when", rate_limited()),
    ("answer cut off", Truncated()),
    ("malformed JSON", Malformed()),
    ("fields missing", WrongShape()),
    ("answer too slow", TOO_SLOW),
    ("slow answer", Slow(0.3)),
)
_CLEAR = {"500", "429", "429 without a word of when", "slow answer"}
TROUBLES: Sequence[Trouble] = (
    *(Trouble(name, "create", fault, name not in _CLEAR) for name, fault in _SHARED),
    Trouble("taken, then the connection is lost", "create", DropAfter(), ambiguous=True),
    Trouble("taken, then 502 with HTML", "create", proxy_error(502, after=True), ambiguous=True),
    *(Trouble(name, "status", fault) for name, fault in _SHARED),
    Trouble("404 once", "status", error(404)),
    *(Trouble(name, "upload", fault) for name, fault in _SHARED),
    Trouble("connection lost before", "put", DropBefore()),
    Trouble("taken, then the connection is lost", "put", DropAfter()),
    Trouble("signed address expired", "put", error(403)),
    Trouble("500", "put", error(500)),
    Trouble("connection lost before", "output", DropBefore()),
    Trouble("output cut off", "output", Truncated()),
    Trouble("500", "output", error(500)),
    Trouble("502 with HTML", "output", proxy_error(502)),
    Trouble("signed address expired", "output", error(403)),
    Trouble("gone once", "output", gone()),
)


@dataclass(frozen=True)
class Death:
    """At the `nth` time that `point` comes."""

    point: str
    nth: int = 1


@dataclass(frozen=True)
class Verdict:
    """How a trial went. `died`: how often; `complaints`: promises that were not kept; `points`: those of a
    life without a death."""

    state: JobState
    died: int
    complaints: Sequence[str]
    points: Mapping[str, int]


async def attempt(
    worlds: Worlds,
    zygote: Zygote,
    deaths: Sequence[Death] = (),
    *,
    trouble: Trouble | None = None,
    later: float = 0.0,
    blind: bool = False,
    threads: bool = False,
) -> Verdict:
    """`later`: seconds that pass between the last death and the next life; Discord forgets nonces then.
    `blind`: the bot may not read its channel, so that the nonce alone tells Discord of a repetition.
    `threads`: SQLite works in threads of its own, as it does in earnest."""
    case = await worlds.case()
    worlds.discord.readable = not blind
    if trouble is not None:
        worlds.studii.fail(trouble.endpoint, trouble.fault)
    patience = {"patience": SHORT} if trouble is not None and trouble.fault is TOO_SLOW else {}
    died = 0
    unknown = trouble is not None and trouble.ambiguous
    unheard = False  # a 429 that came in the moment of a death
    for death in deaths:
        life = worlds.life(case, point=death.point, nth=death.nth, threads=threads, **patience)
        code = await zygote.live(life)
        if code != KILLED:
            break
        died += 1
        unknown = unknown or await worlds.state(case) is JobState.SUBMITTING
        unheard = unheard or await worlds.unheard(case)
    if later:
        worlds.discord.forget_nonces()
    life = worlds.life(case, trace=not deaths, later=later, threads=threads, **patience)
    code = await zygote.live(life)
    job, complaints = await worlds.wrong(case, may_be_unknown=unknown)
    if not unheard:
        complaints += worlds.hasty(case)
    if not deaths and await worlds.unheard(case):
        complaints.append("a 429 is not kept for later lives")
    if code != ENDED:
        complaints.append(f"the last life ended with {code}")
    worlds.studii.failures.clear()
    points: dict[str, int] = {}
    if code == ENDED and not deaths:
        points = json.loads((case.folder / "points.json").read_text())
    await worlds.drop(case)
    return Verdict(job.state, died, complaints, points)


def times(point: str, count: int) -> range:
    """At which of its times a point is tried: all, where a library's request waits; else the first."""
    request = "exchange." in point or "transfer." in point or "channel." in point
    return range(1, min(count, MANY) + 1) if request else range(1, 2)


def deaths_of(points: Mapping[str, int]) -> list[Death]:
    """Every death there is in a life that passed those points."""
    return [Death(point, nth) for point, count in sorted(points.items()) for nth in times(point, count)]


def is_posting(death: Death) -> bool:
    """Whether a message may have been posted of which there is no note."""
    return "outbox._announce" in death.point or "outbox._note" in death.point
