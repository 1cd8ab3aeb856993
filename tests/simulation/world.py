"""Everything around the bot in one simulation: the machine, the servers, and the people's server."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from sandbox.discord.emulator.messages import Message
from sandbox.discord.emulator.places import EVERYONE_PERMISSIONS, OWNER_ID, Guild
from sandbox.studii.keys import Key
from tests.simulation.discord_world import Discord
from tests.simulation.faults import Fault, Faults
from tests.simulation.loop import EPOCH, Clock, Plan
from tests.simulation.machine import Machine
from tests.simulation.network import Network
from tests.simulation.studii_world import Studii

GUILD, GENERAL, SHOWROOM, SIDE = 2001 << 22, 3001, 3002, 3003
ADMIN, MODERATOR = OWNER_ID, 5900
JOB_ID = r"\b[0-9a-f]{16}\b"
TAP = "🔥"  # what the admin lets it stand for, see `admins.settle`
MEMBERS = tuple(range(5001, 5007))
SETTLING = 300.0  # seconds at the beginning without faults, in which the server is set up
PLANS = ("team", "team", "pro")
# Seconds at the end without people and faults, in which all ends: jobs whose key is refused wait for a day.
QUIET = 26 * 3600.0


FORBIDDEN = "kraken"  # by the word filter, at times


@dataclass
class _Change:
    """`told_at`: when the admin was told that it is so; before, it may or may not be."""

    value: Any
    sent_at: float
    told_at: float | None = None


class Rules:
    """Settings by name, and which values may have been in effect at a time.

    A change is possible from when it was asked for, and what was before it until the change was confirmed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changes: dict[str, list[_Change]] = {}

    def asked(self, name: str, value: Any) -> None:
        """Note that an admin asks for a change."""
        self._changes.setdefault(name, []).append(_Change(value, self._clock.now))

    def confirmed(self, name: str) -> None:
        """Note that the last change is in effect: the bot has said so."""
        self._changes[name][-1].told_at = self._clock.now

    def possible(self, name: str, since: float, until: float, default: Any = None) -> list[Any]:
        """Return the values that may have been in effect between these moments."""
        changes = [_Change(default, 0.0, 0.0), *self._changes.get(name, ())]
        certain = max(n for n, one in enumerate(changes) if one.told_at is not None and one.told_at <= since)
        return [one.value for one in changes[certain:] if one.sent_at <= until]

    def certainly(self, name: str, value: Any, since: float, until: float, default: Any = None) -> bool:
        """Return whether nothing but this value was in effect all the time."""
        return all(one == value for one in self.possible(name, since, until, default))


@dataclass(frozen=True)
class Wish:
    """Something that a person asked for: when, and how. `private` is None where it follows another's."""

    at: float
    user_id: int
    private: bool | None
    place: int


@dataclass
class Ruling:
    """What an admin said of a job whose outcome is unknown: its charge, and whether that was confirmed."""

    charge: int
    confirmed: bool = False


class World:
    """One simulation's world.

    People act and things go wrong until `ends`. `counts` is what happened, `broken` the promises that were
    broken. `number` gives each request a number by which the books know it again, at Studii too; `wishes`
    are the requests by that number, each of which may become one job. `rules` is what admins have set.
    `reviewed`, `ruled` and `forgotten` are what people have decided, by job and by person. With a `pace` of
    2, all happens twice as often, and what lasts for a while lasts half as long.
    """

    def __init__(self, clock: Clock, hours: float, folder: Path, pace: float) -> None:
        self.clock, self._pace, self._rand = clock, pace, clock.random("world")
        self.ends = EPOCH + SETTLING + hours * 3600
        self.faults = Faults(clock, self.ends, EPOCH + SETTLING)
        self.network = Network(clock, self.faults)
        self.discord = Discord(clock, self.network)
        self.studii = Studii(clock, self.network)
        self.machine = Machine(clock, self.network, folder)
        self.guild: Guild = self.discord.add_guild(
            GUILD, (GENERAL, SHOWROOM, SIDE), everyone=EVERYONE_PERMISSIONS
        )
        self.key = self.new_key()
        self.counts = Counter[str]()
        self.broken: list[str] = []
        self.last_number = 0
        self.wishes = defaultdict[int, list[Wish]](list)
        self.rules = Rules(clock)
        self.approved = set[int | str]()  # numbers of requests, or ids of jobs, that a moderator approved
        self.reviewed = dict[str, float]()  # when a moderator approved the result of a job
        self.ruled = defaultdict[str, list[Ruling]](list)  # what admins said that a job has cost
        self.forgotten = dict[int, float]()  # when a person last had asked for all to be erased
        self.away: list[tuple[float, float]] = []  # from when to when the bot was not in the server
        self.minutes: list[Counter[str]] = []  # after each: what the bot has done so far
        self.at_minute: list[Callable[[], None]] = [self._count]
        self.under_way = 0  # what was begun by people and troubles and has not come to its end

    def new_key(self) -> Key:
        """Issue a key of a new account, with many requests a minute or few."""
        plan = self._rand.choice(PLANS)
        return self.studii.new_key(plan, 1_000_000)

    def every(self, hours: float, name: str) -> float:
        """Return how often a second something of this name happens that usually does each so many hours.

        Seeds differ in what is frequent: what only shows when two things meet shows in some of them.
        """
        often = self.clock.random(f"how often {name}").choice((0.3, 1.0, 1.0, 4.0))
        return often * self._pace / (hours * 3600)

    def a_while(self, rand: Random, least: float, most: float) -> float:
        """Return for how many seconds something lasts."""
        return rand.uniform(least, most) / self._pace

    def acts(self, hours: float) -> float:
        """Return how often a second a member does something."""
        return self._pace / (hours * 3600)

    @property
    def busy(self) -> bool:
        """Return whether people still act."""
        return self.clock.now < self.ends

    def to_its_end(self, plan: Plan | None) -> Plan:
        """Follow what a person or a trouble does: until it ends, there is no silence."""
        self.under_way += 1
        yield from plan or ()
        self.under_way -= 1

    def until_met(self, where: str, fault: Fault) -> Plan:
        """Let a fault meet the next request with this text in its server, method and path. Wait for it."""
        met = where, fault
        self.faults.planned.append(met)
        while met in self.faults.planned and self.busy:
            yield 0.05

    def number(self) -> int:
        self.last_number += 1
        return self.last_number

    def wants(self, user_id: int, number: int, *, private: bool | None = False, place: int = GENERAL) -> None:
        """Note that somebody asks for what has this number."""
        self.wishes[number].append(Wish(self.clock.now, user_id, private, place))

    def wants_again(self, message: Message) -> None:
        """Note that somebody asks again for what a result shows."""
        for number in self.made_of(message):
            self.wishes[number].append(replace(self.wishes[number][-1], at=self.clock.now))

    def made_of(self, message: Message) -> list[int]:
        """Return the numbers of the requests whose results a message shows."""
        files = {file.sha256 for file in message.files.values()}
        made = [job for job in self.studii.jobs if self.studii.sha256_of(job) in files]
        return sorted({number for job in made if (number := self.studii.number_of(job)) is not None})

    def _count(self) -> None:
        machine = self.machine
        self.minutes.append(
            Counter(
                steps=machine.steps + (machine.loop.steps if machine.loop else 0),
                statements=machine.statements,
                requests=len(self.discord.requests) + self.studii.requests,
                edits=self.discord.edits,
            )
        )

    def breaks(self, promise: str) -> None:
        """Note that a promise was broken."""
        self.clock.note("BROKEN", promise)
        self.broken.append(f"{self.clock.passed / 3600:.3f} h: {promise}")
