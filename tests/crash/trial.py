"""One trial: a command, a death (or several) at given points, and a life to the end."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.jobs.models import JobState
from tests.crash.life import ENDED, PROGRESS
from tests.crash.world import KILLED, MAYA, CrashWorlds, Zygote

SEED = 6
NONCES_FORGOTTEN = 900.0  # seconds
MANY = 6  # times that a point is tried at which a library waits again and again
# Parts of points: a library's request waits there; a message may have been posted of which there is no note.
REQUESTS = ("client._exchange", "transfer.", "discord.", "start.show_progress")
POSTS = ("posts._bounded", "posts._note", "start.show_progress")
# Parts of the points between a deferral and its answer, and of those of a later life that answers.
LATE = ("answers.", "start.show_progress", "accept.accept_all", "accept._accept")
ANSWERING = "answers._answer"


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


@dataclass(frozen=True)
class Trial:
    """A command, and what is to happen to its job.

    `later`: seconds that pass between the last death and the next life; Discord forgets nonces then. `blind`:
    the bot may not read its channel, so that the nonce alone tells Discord of a repetition. `threads`: SQLite
    works in threads of its own, as it does in earnest. `cancelled`: an earlier life showed its progress, and
    now its Cancel is pressed. `private`: its person alone is to see the result; `closed_dms`: and takes no
    direct messages. `slow`: the database is, so that the answer is deferred.
    """

    deaths: Sequence[Death] = ()
    later: float = 0.0
    blind: bool = False
    threads: bool = False
    cancelled: bool = False
    private: bool = False
    closed_dms: bool = False
    slow: bool = False

    # Long: one trial from its begin to its verdict, in order.
    async def make(self, worlds: CrashWorlds, zygote: Zygote) -> Verdict:
        """Return how it goes."""
        case = await worlds.case(private=self.private)
        worlds.discord.channels.readable = not self.blind
        worlds.discord.channels.dm_with(MAYA).closed = self.closed_dms
        asked = case.interaction
        unknown = twice = False  # an outcome; and a last word, that may have come in the moment of a death
        died = 0
        if self.cancelled:
            await zygote.live(worlds.life(case, interaction=asked, dies_once=PROGRESS, threads=self.threads))
            left = await worlds.job(case)
            unknown = left is not None and left.state is JobState.SUBMITTING
            asked = worlds.cancel(case)
        for death in self.deaths:
            life = worlds.life(
                case,
                point=death.point,
                nth=death.nth,
                interaction=asked,
                threads=self.threads,
                slow=self.slow,
            )
            asked = None  # Discord tells of it once
            if await zygote.live(life) != KILLED:
                break
            died += 1
            left = await worlds.job(case)
            unknown = unknown or (left is not None and left.state is JobState.SUBMITTING)
            twice = twice or (left is not None and left.over and left.announced_at is None)
        if self.later:
            worlds.discord.channels.forget_nonces()
        traced = self.slow or not self.deaths
        code = await zygote.live(
            worlds.life(
                case,
                trace=traced,
                later=self.later,
                interaction=asked,
                threads=self.threads,
                slow=self.slow,
            )
        )
        job, complaints = await worlds.wrong(
            case, may_be_unknown=unknown, followed=not self.deaths, twice=twice, died=died
        )
        points: dict[str, int] = {}
        if code != ENDED:
            complaints.append(f"the last life ended with {code}")
        elif traced:
            points = json.loads((case.folder / "points.json").read_text())
        await worlds.drop(case)
        return Verdict(None if job is None else job.state, died, complaints, points)

    def killed(self, points: Mapping[str, int], *parts: str) -> list["Trial"]:
        """The same trial with every death in lives that passed those points; or at those with these parts in
        their names."""
        return [replace(self, deaths=[*self.deaths, death]) for death in deaths_at(points, *parts)]


def deaths_at(points: Mapping[str, int], *parts: str) -> list[Death]:
    """Every death in a life that passed those points, or at those with one of these parts in their names.

    Raises LookupError if one of these parts is in no point: nobody would die there, and nobody notice.
    """
    gone = [repr(part) for part in parts if not any(part in point for point in points)]
    if gone:
        raise LookupError(f"Nothing passed a point with {', '.join(gone)}. Has that code another name now?")
    return [
        Death(point, nth)
        for point, count in sorted(points.items())
        if not parts or any(part in point for part in parts)
        for nth in range(1, 1 + (min(count, MANY) if any(part in point for part in REQUESTS) else 1))
    ]


def sample(trials: Sequence[Trial], count: int) -> list[Trial]:
    """Some of them, the same ones each time."""
    return random.Random(SEED).sample(trials, count)
