"""Compares what the bot's database says with what happened in the worlds. It shares no code with the bot.

The database is read here alone, through SQL.
"""

import hashlib
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.studii.jobs import Job as StudiiJob
from tests.simulation import media
from tests.simulation.studii_world import output_of
from tests.simulation.world import World

ENDS = {"succeeded", "failed", "cancelled", "unknown"}
WAYS = {
    "pending": {"waiting", "failed", "cancelled"},
    "received": {"pending", "waiting", "failed", "cancelled"},
    "waiting": {"received", "uploading", "submitting", "cancelled", "failed"},
    "uploading": {"submitting", "waiting", "cancelled", "failed"},
    "submitting": {"running", "waiting", "failed", "unknown"},
    "running": {"succeeded", "reviewing", "failed"},
    "reviewing": {"succeeded", "withheld"},
    "withheld": {"succeeded"},
    "unknown": {"running", "failed"},
}
"""All ways that jobs may go, by the state that they leave."""
ANSWER_SECONDS = 3.0


@dataclass(frozen=True)
class Row:
    """A job as the database has it."""

    id: str
    user_id: int
    state: str
    private: bool
    reserved: int
    settled: int
    studii_id: str | None
    prompt: str | None
    photo: str | None
    failure: str | None

    @property
    def number(self) -> int | None:
        """Return the number of the request that it came of."""
        return number_in(self.prompt or "") or number_in(self.photo or "")

    def __str__(self) -> str:
        return f"job {self.id} (no. {self.number}, {self.state})"


def number_in(text: str) -> int | None:
    """Return the number in a prompt, or in a photo's name."""
    found = re.search(r"no\. (\d+)|photo-(\d+)\.", text)
    return int(found[1] or found[2]) if found else None


def number_of(job: StudiiJob) -> int | None:
    """Return the number of the request that a job of Studii's came of."""
    if (found := number_in(job.request.text)) is not None or job.source is None:
        return found
    return media.number_of(job.source)


def _opened(world: World) -> sqlite3.Connection:
    # A connection that never fails, unlike the bot's.
    return sqlite3.connect(world.machine.database, factory=sqlite3.Connection)


def rows(world: World) -> list[Row]:
    """Read the jobs of the database's file."""
    connection = _opened(world)
    try:
        found = connection.execute(
            "SELECT id, user_id, state, private, reserved, settled, studii_id,"
            " json_extract(inputs, '$.prompt'), source_name, failure FROM jobs ORDER BY number"
        ).fetchall()
    finally:
        connection.close()
    return [Row(*one) for one in found]


def settled(world: World) -> bool:
    """Return whether each job has one of its ends."""
    return all(job.state in ENDS for job in rows(world))


def watch(world: World) -> None:
    """Have the database note each change of a job's state from now on."""
    connection = _opened(world)
    connection.executescript(
        "CREATE TABLE simulation_ways (job TEXT, before TEXT, after TEXT);"
        "CREATE TRIGGER simulation_changed AFTER UPDATE OF state ON jobs WHEN old.state <> new.state"
        " BEGIN INSERT INTO simulation_ways VALUES (new.id, old.state, new.state); END;"
    )
    connection.close()


def ways(world: World) -> Counter[tuple[str, str]]:
    """Return how often each way from state to state was taken."""
    connection = _opened(world)
    try:
        found = connection.execute("SELECT before, after, count(*) FROM simulation_ways GROUP BY 1, 2")
        return Counter({(before, after): times for before, after, times in found})
    finally:
        connection.close()


def never_taken(taken: Counter[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the ways that no job took."""
    return [(before, after) for before in WAYS for after in sorted(WAYS[before]) if not taken[before, after]]


def compare(world: World) -> None:
    """Compare all books at the end."""
    jobs = rows(world)
    for before, after in ways(world):
        if after not in WAYS.get(before, ()):
            world.breaks(f"a job went from {before} to {after}")
    world.counts["jobs"] += len(jobs)
    for job in jobs:
        world.counts[job.state] += 1
    for book in BOOKS:
        for complaint in book(world, jobs):
            world.breaks(complaint)


def ended(_: World, jobs: list[Row]) -> Iterable[str]:
    """Each job has one of the ends."""
    for job in jobs:
        if job.state not in ENDS:
            yield f"{job} waits for ever"


def submitted_once(world: World, jobs: list[Row]) -> Iterable[str]:
    """Nothing was submitted more often than it was accepted."""
    accepted = Counter(job.number for job in jobs)
    for number, times in Counter(number_of(job) for job in world.studii.jobs).items():
        if times > accepted[number]:
            yield f"no. {number} was accepted {accepted[number]} times and submitted {times} times"


def charged(world: World, jobs: list[Row]) -> Iterable[str]:
    """Each job was charged what Studii charged."""
    taken = {job.id: job for job in world.studii.jobs}
    now = world.clock.now
    for job in jobs:
        at_studii = taken.get(job.studii_id or "")
        if job.state == "unknown":
            if not job.reserved or job.settled:
                yield f"{job} has reserved {job.reserved} and settled {job.settled}"
        elif job.reserved:
            yield f"{job} has still reserved {job.reserved}"
        elif job.settled != (cost := at_studii.credits_charged(now) if at_studii else 0):
            yield f"{job} settled {job.settled}, Studii charged {cost}"
    known = {job.studii_id for job in jobs}
    unknown = Counter(job.number for job in jobs if job.state == "unknown")
    lost = Counter(number_of(one) for one in taken.values() if one.id not in known)
    for number, times in lost.items():
        if times > unknown[number]:
            yield f"no. {number}: {times} jobs at Studii are not stored, and {unknown[number]} are unknown"


def shown_once(world: World, jobs: list[Row]) -> Iterable[str]:
    """Each result was shown once, and a private one to its person alone."""
    shown: dict[str, list[tuple[bool, int | None]]] = {}
    for message in world.discord.ever:
        for file in message.files.values():
            to = message.for_user if message.ephemeral else message.channel.recipient
            shown.setdefault(file.sha256, []).append((to is None, to))
    made = {one.id: hashlib.sha256(output_of(one).data).hexdigest() for one in world.studii.jobs}
    for job in jobs:
        times = shown.get(made.get(job.studii_id or "", ""), [])
        if job.state == "succeeded" and len(times) != 1:
            yield f"{job}: its result was shown {len(times)} times"
        if job.private and any(public or to != job.user_id for public, to in times):
            yield f"{job} is private, and was shown to others"


def answered(world: World, _: list[Row]) -> Iterable[str]:
    """Each interaction that a living process heard of was answered in time, unless the network failed it."""
    for asked in world.discord.asked:
        if asked.answered_at is not None or not world.discord.heard.get(asked.id):
            continue
        until = asked.told_at + ANSWER_SECONDS + 0.5
        lived = any(began < asked.told_at and until < ended for began, ended in world.machine.lives)
        faulted = any(asked.token in path for _, _, path in world.faults.spoilt)
        away = any(
            server == "discord" and began < until and asked.told_at < ended
            for began, ended, server in world.faults.outages
        )
        if lived and not faulted and not away:
            yield f"interaction {asked.id} of {asked.user_id} was never answered"


def within_limits(world: World, _: list[Row]) -> Iterable[str]:
    """Studii never had to refuse a request because there were too many."""
    for hint, times in world.studii.over_limit.items():
        yield f"{times} requests of key …{hint} were over its limit"


BOOKS = (ended, submitted_once, charged, shown_once, answered, within_limits)
