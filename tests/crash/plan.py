"""Which trials `make crash` makes, and which it leaves out because others stand for them."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.crash.trial import (
    DISCORD_TROUBLES,
    POSTS,
    PRIVATE_TROUBLES,
    REQUESTS,
    TROUBLES,
    Death,
    DiscordTrouble,
    Trouble,
    Verdict,
    attempt,
    deaths_at,
    deaths_of,
    ensure_known,
)
from tests.crash.world import CrashWorlds, Zygote

SEED = 6
NONCES_FORGOTTEN = 900.0  # seconds
THREE_TIMES = 30  # jobs that meet three deaths in a row
CLOSED_EVERY = 20  # of a private job's deaths, one in so many meets closed direct messages
EVERY = 200  # of the points that a life under a trouble shares with others, one in so many


@dataclass(frozen=True)
class Trial:
    """A job with what is to happen to it. `later`: seconds until the life after the last death; `blind`: the
    bot may not read its channel; `threads`: SQLite has its own, as in earnest; `cancelled`: its Cancel is
    pressed as soon as its progress is there; `private`: its person alone is to see the result, and with
    `closed_dms` takes no direct messages; `slow`: the database is, so that the answer is deferred."""

    deaths: Sequence[Death] = ()
    trouble: Trouble | DiscordTrouble | None = None
    later: float = 0.0
    blind: bool = False
    threads: bool = False
    cancelled: bool = False
    private: bool = False
    closed_dms: bool = False
    slow: bool = False

    async def make(self, worlds: CrashWorlds, zygote: Zygote) -> Verdict:
        """Return how it goes."""
        return await attempt(
            worlds,
            zygote,
            self.deaths,
            trouble=self.trouble,
            later=self.later,
            blind=self.blind,
            threads=self.threads,
            cancelled=self.cancelled,
            private=self.private,
            closed_dms=self.closed_dms,
            slow=self.slow,
        )

    def __str__(self) -> str:
        deaths = " | ".join(f"{death.point} (time {death.nth})" for death in self.deaths) or "no death"
        kind = "private, " * self.private + "deferred, " * self.slow
        trouble = "" if self.trouble is None else f"[{self.trouble.endpoint}: {self.trouble.name}] "
        return f"{trouble}{kind}{deaths}"


# Parts of the points between a deferral and its answer, and of those of a later life that answers.
LATE = (
    "deferral.",
    "answers.",
    "answer.show_progress",
    "accept.accept_all",
    "accept._accept",
)
ANSWERING = "answers._answer"
DEFERRED = (Trial(slow=True), Trial(slow=True, private=True))


@dataclass(frozen=True)
class UnderTrouble:
    """The deaths to try under troubles; `possible`: how many there are, `unheard`: at points that come up in
    no quiet life."""

    trials: Sequence[Trial]
    possible: int
    unheard: int


def killed_once(points: Mapping[str, int]) -> list[Trial]:
    """Every death that there is in a life that passed those points."""
    ensure_known(points, *REQUESTS)
    return [Trial([death]) for death in deaths_of(points)]


def killed_privately(points: Mapping[str, int]) -> list[Trial]:
    """Every death of a private job, in lives that passed those points."""
    return [Trial([death], private=True) for death in deaths_of(points)]


def killed_before_a_closed_door(points: Mapping[str, int]) -> list[Trial]:
    """The deaths after which a private job's last word can't be in its answer, nor sent by DM."""
    deaths = deaths_of(points)[::CLOSED_EVERY]
    return [Trial([death], private=True, closed_dms=True) for death in deaths]


def killed_while_posting(points: Mapping[str, int]) -> list[Trial]:
    """Every death after which Discord may have a message that nobody remembers, itself included."""
    return [Trial([death], later=NONCES_FORGOTTEN) for death in deaths_at(points, *POSTS)]


def killed_while_blind(points: Mapping[str, int]) -> list[Trial]:
    """The same deaths, where the bot can't look whether it has posted: only the nonce tells Discord."""
    return [Trial([death], blind=True) for death in deaths_at(points, *POSTS)]


def killed_three_times(points: Mapping[str, int]) -> list[Trial]:
    """Three deaths, one after the other, in each of some jobs' lives."""
    deaths, rng = deaths_of(points), random.Random(SEED)
    return [Trial(rng.sample(deaths, 3), threads=True) for _ in range(THREE_TIMES)]


def killed_while_cancelling(points: Mapping[str, int], *, private: bool = False) -> list[Trial]:
    """Every death while the press of Cancel is dealt with, in lives that passed those points."""
    return [Trial([one], cancelled=True, private=private) for one in deaths_at(points, "buttons.")]


def killed_before_a_late_answer(points: Mapping[str, int], kind: Trial) -> list[Trial]:
    """Every death from the moment at which an answer is late until it is there."""
    return [replace(kind, deaths=[one]) for one in deaths_at(points, *LATE)]


def killed_while_answering_late(trials: Sequence[Trial], points: Sequence[Mapping[str, int]]) -> list[Trial]:
    """Every death of a life that answers what another one left, after the first death that leads to it."""
    ensure_known(all_points(points), ANSWERING)
    found: dict[Death, Trial] = {}
    for trial, seen in zip(trials, points, strict=True):
        for death in deaths_of(seen):
            if ANSWERING in death.point:
                found.setdefault(death, replace(trial, deaths=[*trial.deaths, death]))
    return list(found.values())


def private_troubles() -> list[Trial]:
    """Each trouble on the way to Discord that concerns private jobs, alone."""
    return [Trial(trouble=trouble, private=True) for trouble in PRIVATE_TROUBLES]


def troubles() -> list[Trial]:
    """Each trouble alone."""
    return [Trial(trouble=trouble) for trouble in (*TROUBLES, *DISCORD_TROUBLES)]


def killed_under_trouble(
    quiet: Mapping[str, int],
    under: Iterable[tuple[Trouble | DiscordTrouble, Mapping[str, int]]],
    *,
    private: bool = False,
) -> UnderTrouble:
    """At each point of which quiet lives know nothing, under the first trouble that leads to it; and at some
    of the others, under each trouble at other ones."""
    known = set(quiet)
    trials: list[Trial] = []
    possible = unheard = 0
    for number, (trouble, points) in enumerate(under):
        deaths = deaths_of(points)
        fresh = [death for death in deaths if death.point not in known]
        others = [death for death in deaths if death.point in known]
        known |= set(points)
        chosen = fresh + others[number % EVERY :: EVERY]
        trials += [Trial([death], trouble, private=private) for death in chosen]
        possible += len(deaths)
        unheard += len(fresh)
    return UnderTrouble(trials, possible, unheard)


def all_points(lives: Iterable[Mapping[str, int]]) -> Counter[str]:
    """What came up in any of them, as often as in the one where it did most often."""
    points: Counter[str] = Counter()
    for life in lives:
        points |= Counter(life)
    return points
