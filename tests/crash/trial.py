"""One trial: a job, a death (or several) at given points, and a life to the end."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bot.jobs.models import JobState
from sandbox.discord.emulator import Fault as DiscordFault
from sandbox.discord.emulator.refusals import INVALID_TOKEN
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
from tests.crash.life import ENDED, PROGRESS
from tests.crash.world import KILLED, MAYA, Case, CrashWorlds, Zygote

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

    def befall(self, worlds: CrashWorlds) -> None:
        """Let it happen to the next request there."""
        worlds.studii.fail(self.endpoint, self.fault)

    @property
    def patience(self) -> Mapping[str, float]:
        """What a life under it is to have of it."""
        return {"patience": SHORT} if self.fault is TOO_SLOW else {}


@dataclass(frozen=True)
class DiscordTrouble:
    """Something between the bot and Discord: the next requests there go wrong, one after the other."""

    name: str
    endpoint: str
    faults: Mapping[str, Sequence[DiscordFault]]  # by call
    ambiguous: bool = False
    patience: Mapping[str, float] = field(default_factory=dict[str, float])

    def befall(self, worlds: CrashWorlds) -> None:
        """Let it happen to the next requests."""
        for call, faults in self.faults.items():
            worlds.discord.fail(call, *faults)


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
RESET, TAKEN_RESET = DiscordFault(None), DiscordFault(None, after=True)
_WRONG: Mapping[str, DiscordFault] = {
    "502": DiscordFault(502),
    "taken, then 502": DiscordFault(502, after=True),
    "connection reset": RESET,
    "taken, then the connection is reset": TAKEN_RESET,
    "answer comes late": DiscordFault(200, delay=0.3),
}
DISCORD_TROUBLES: Sequence[DiscordTrouble] = (
    *(
        DiscordTrouble(name, call, {call: [fault]})
        for call in ("callback", "answer", "edit", "send")
        for name, fault in _WRONG.items()
    ),
    DiscordTrouble("taken, and nobody says so", "callback", {"callback": [TAKEN_RESET], "original": [RESET]}),
    DiscordTrouble("its token is refused", "answer", {"answer": [DiscordFault(refusal=INVALID_TOKEN)]}),
    DiscordTrouble("taken, then no answer, twice", "send", {"send": [TAKEN_RESET, TAKEN_RESET]}),
    DiscordTrouble(
        "nobody says so, and it can't be looked for at first",
        "callback",
        {"callback": [TAKEN_RESET], "original": [RESET], "history": [DiscordFault(502), RESET]},
    ),
)
# Of a private job's: its answer is edited by the interaction's token, and what that can't do goes by DM.
_REFUSED = DiscordFault(refusal=INVALID_TOKEN)
PRIVATE_TROUBLES: Sequence[DiscordTrouble] = (
    *(
        one
        for one in DISCORD_TROUBLES
        if one.endpoint in {"callback", "answer"} and "history" not in one.faults
    ),
    *(
        DiscordTrouble(f"its token is refused; {name}", call, {"answer": [_REFUSED], call: [fault]})
        for call in ("dm", "send")
        for name, fault in _WRONG.items()
    ),
)


@dataclass(frozen=True)
class Death:
    """At the `nth` time that `point` comes."""

    point: str
    nth: int = 1


@dataclass(frozen=True)
class Verdict:
    """How a trial went. `died`: how often; `complaints`: promises that were not kept; `points`: those of a
    life without a death, or of the last one of a deferred job; `state`: None if no job was accepted."""

    state: JobState | None
    died: int
    complaints: Sequence[str]
    points: Mapping[str, int]


# Long: one trial from its begin to its verdict, in order.
async def attempt(
    worlds: CrashWorlds,
    zygote: Zygote,
    deaths: Sequence[Death] = (),
    *,
    trouble: Trouble | DiscordTrouble | None = None,
    later: float = 0.0,
    blind: bool = False,
    threads: bool = False,
    cancelled: bool = False,
    private: bool = False,
    closed_dms: bool = False,
    slow: bool = False,
) -> Verdict:
    """`later`: seconds that pass between the last death and the next life; Discord forgets nonces then.
    `blind`: the bot may not read its channel, so that the nonce alone tells Discord of a repetition.
    `threads`: SQLite works in threads of its own, as it does in earnest. `cancelled`: an earlier life showed
    its progress, and now its Cancel is pressed. `private`: its person alone is to see the result;
    `closed_dms`: and takes no direct messages. `slow`: the database is, so that the answer is deferred."""
    case = await worlds.case(private=private)
    worlds.discord.channels.readable = not blind
    worlds.discord.channels.dm_with(MAYA).closed = closed_dms
    if trouble is not None:
        trouble.befall(worlds)
    patience: Mapping[str, float] = {} if trouble is None else trouble.patience
    asked: Mapping[str, Any] | None = case.interaction
    life, died = partial(worlds.life, case, threads=threads, slow=slow, **patience), 0
    unknown = trouble is not None and trouble.ambiguous
    if cancelled:
        shown = PROGRESS
        await zygote.live(worlds.begun(case, dies_once=shown, threads=threads, **patience))
        unknown = await worlds.state(case) is JobState.SUBMITTING
        asked = worlds.cancel(case)
    unheard = twice = False  # a 429, and a last word, that may have come in the moment of a death
    for death in deaths:
        code = await zygote.live(life(point=death.point, nth=death.nth, interaction=asked))
        asked = None  # Discord tells of it once
        if code != KILLED:
            break
        died += 1
        left = await worlds.job(case)
        unknown = unknown or (left is not None and left.state is JobState.SUBMITTING)
        twice = twice or (left is not None and left.over and left.announced_at is None)
        unheard = unheard or await worlds.unheard(case)
    if later:
        worlds.discord.channels.forget_nonces()
    code = await zygote.live(life(trace=slow or not deaths, later=later, interaction=asked))
    followed = not deaths and trouble is None
    job, complaints = await worlds.wrong(case, may_be_unknown=unknown, followed=followed, twice=twice)
    if not unheard:
        complaints += worlds.hasty(case)
    if not deaths and await worlds.unheard(case):
        complaints.append("a 429 is not kept for later lives")
    if code != ENDED:
        complaints.append(f"the last life ended with {code}")
    points = _points_of(case) if code == ENDED and (slow or not deaths) else {}
    worlds.studii.failures.clear()
    await worlds.drop(case)
    return Verdict(None if job is None else job.state, died, complaints, points)


def _points_of(case: Case) -> dict[str, int]:
    return json.loads((case.folder / "points.json").read_text())


# Parts of points: a library's request waits there; a message may have been posted of which there is no note.
REQUESTS = ("client._exchange", "transfer.", "discord.", "answer.show_progress")
POSTS = ("outbox._bounded", "outbox._note", "answer.show_progress")


def times(point: str, count: int) -> range:
    """At which of its times a point is tried: all, where a library's request waits; else the first."""
    request = any(part in point for part in REQUESTS)
    return range(1, min(count, MANY) + 1) if request else range(1, 2)


def deaths_of(points: Mapping[str, int]) -> list[Death]:
    """Every death there is in a life that passed those points."""
    return [Death(point, nth) for point, count in sorted(points.items()) for nth in times(point, count)]


def deaths_at(points: Mapping[str, int], *parts: str) -> list[Death]:
    """Every death at a point that has one of these parts in its name."""
    ensure_known(points, *parts)
    return [death for death in deaths_of(points) if any(part in death.point for part in parts)]


def ensure_known(points: Iterable[str], *parts: str) -> None:
    """Raise LookupError if one of these parts is in no point: nobody would die there, and nobody notice."""
    passed = list(points)
    gone = [repr(part) for part in parts if not any(part in point for point in passed)]
    if gone:
        raise LookupError(f"Nothing passed a point with {', '.join(gone)}. Has that code another name now?")
