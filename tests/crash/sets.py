"""A set that the bot dies of: between its messages, between a message and its note, while it waits."""

import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.credits import ledger
from bot.credits.ledger import EntryKind
from bot.db import Database
from bot.jobs import accept, queries
from bot.jobs.models import Job, JobState
from bot.posts import mark_of_nonce
from sandbox.discord.emulator.messages import Message
from sandbox.studii import Outcome
from tests.crash.life import ENDED
from tests.crash.plan import all_points
from tests.crash.trial import Death, Verdict, ensure_known
from tests.crash.world import KILLED, MAYA, Case, CrashWorlds, Zygote
from tests.engine.world import a_staging_job
from tests.support.database import given
from tests.support.jobs import ledger_lines

PHOTOS = 6  # with theirs before, too many for one message
WAIT = 0.2  # seconds that the first ones wait for the last
SLOW = 0.8  # seconds that the last one takes
# Parts of points: a set is posted; it is being noted; a message may be there that is not noted.
_SET_POINTS = ("outbox.", "results.load")
NOTING = "outbox._note"
_MAX_TIMES = 3  # that it is tried to die at a point
UNNOTED = ("outbox._step", NOTING)


@dataclass(frozen=True)
class SetTrial:
    """A set under a message with photos. `later` and `blind` as in `Trial`; `waits`: one of its jobs takes
    longer than the others wait for it."""

    deaths: Sequence[Death] = ()
    later: float = 0.0
    blind: bool = False
    waits: bool = False

    async def make(self, worlds: CrashWorlds, zygote: Zygote) -> Verdict:
        """Return how it goes."""
        case = await worlds.case()
        set_id = await _accepted(case, worlds.discord.post(case.channel_id, MAYA, "Six rooms"))
        worlds.discord.channels.readable = not self.blind
        if self.waits:
            worlds.studii.next_job(Outcome(duration=SLOW))
        patience = {"set_patience": WAIT if self.waits else 60.0}
        died, unknown = 0, 0
        for death in self.deaths:
            code = await zygote.live(worlds.life(case, point=death.point, nth=death.nth, **patience))
            if code != KILLED:
                break
            died += 1
            unknown = max(unknown, sum(job.state is JobState.SUBMITTING for job in await _jobs(case)))
        if self.later:
            worlds.discord.channels.forget_nonces()
        code = await zygote.live(worlds.life(case, trace=not self.deaths, later=self.later, **patience))
        complaints = await _wrong(worlds, case, set_id, unknown=unknown)
        if code != ENDED:
            complaints.append(f"the last life ended with {code}")
        traced = code == ENDED and not self.deaths
        points: dict[str, int] = json.loads((case.folder / "points.json").read_text()) if traced else {}
        states = {job.state for job in await _jobs(case)}
        worlds.studii.failures.clear()
        await worlds.drop(case)
        return Verdict(states.pop() if len(states) == 1 else None, died, complaints, points)

    def __str__(self) -> str:
        deaths = " | ".join(f"{death.point} (time {death.nth})" for death in self.deaths) or "no death"
        return f"set, {'waits, ' * self.waits}{deaths}"


def set_trials(
    lives: Sequence[tuple[SetTrial, Mapping[str, int]]], *, waits: bool, parts: Sequence[str] = _SET_POINTS
) -> list[SetTrial]:
    """Return every death while a set is posted: at each point with one of these parts in its name, and at it
    again in a later message.

    Each is tried in the kind of life that passed it: a set of which some results wait for others, or one that
    is posted at once. Where both did, `waits` chooses.
    """
    kinds = {
        kind: all_points(points for trial, points in lives if trial.waits is kind) for kind in (False, True)
    }
    ensure_known([*kinds[False], *kinds[True]], *_SET_POINTS, *UNNOTED)
    found: dict[Death, SetTrial] = {}
    for kind in (waits, not waits):
        for point, count in sorted(kinds[kind].items()):
            if any(part in point for part in parts):
                for nth in range(1, min(count, _MAX_TIMES) + 1):
                    death = Death(point, nth)
                    found.setdefault(death, SetTrial([death], waits=kind))
    return list(found.values())


async def _accepted(case: Case, photo: Message) -> str:
    """Store a set that an earlier life accepted from a message in a photo channel."""
    set_id = secrets.token_hex(8)
    async with Database.open(case.database) as db:
        for _ in range(PHOTOS):
            new = a_staging_job(guild_id=case.guild_id, channel_id=case.channel_id, user_id=MAYA)
            job = replace(new, set_id=set_id, origin_message_id=photo.id)
            await db.write(given(accept.store, [job], job.created_at))
    return set_id


async def _jobs(case: Case) -> list[Job]:
    async with Database.open(case.database) as db:
        return await db.read(queries.in_states, list(JobState))


async def _wrong(worlds: CrashWorlds, case: Case, set_id: str, *, unknown: int) -> list[str]:
    """What is not as it was promised, after the last life has ended by itself."""
    jobs = await _jobs(case)
    complaints: list[str] = []
    async with Database.open(case.database) as db:
        complaints += await db.read(ledger.differing)
        for job in jobs:
            kinds = [line.kind for line in await ledger_lines(db, job_id=job.id)]
            if kinds.count(EntryKind.RESERVE) != 1 or kinds.count(EntryKind.SETTLE) > 1:
                complaints.append(f"its lines in the ledger are {kinds}")
    if sum(job.state is JobState.UNKNOWN for job in jobs) > unknown:
        complaints.append("unknown, although it was known")
    submitted = [one for one in worlds.studii.jobs.values() if one.key is case.key]
    if len(submitted) > PHOTOS:
        complaints.append(f"submitted {len(submitted)} times")
    there = [one for one in worlds.discord.in_channel(case.channel_id) if one.of_the_bot]
    by_mark = Counter(_mark(one) for one in there)
    messages = {one.id: one for one in there}
    shown = Counter(file.sha256 for one in there for file in one.files.values())
    told = worlds.discord.in_channel(worlds.discord.channels.dm_with(MAYA).id)
    for job in jobs:
        if job.state is not JobState.SUCCEEDED and job.set_message is None:
            complaints += [] if told else [f"{job.state}, and nobody was told"]
            continue
        mark = mark_of_nonce(job.nonce if job.set_message is None else f"{set_id}-{job.set_message}")
        posted = messages.get(job.result_message_id or 0)
        if posted is None or _mark(posted) != mark or by_mark[mark] != 1:
            said = "nothing" if posted is None else posted.words()
            complaints.append(f"{job.state}, and {by_mark[mark]} messages say so: {said}")
        if job.state is JobState.SUCCEEDED and job.set_message is None:
            complaints.append("a result has a message of its own")
    results = [file for one in there for name, file in one.files.items() if not name.startswith("before")]
    if len(results) != sum(job.state is JobState.SUCCEEDED for job in jobs):
        complaints.append(f"{len(results)} results are shown; all files: {sum(shown.values())}")
    return complaints


def _mark(message: Message) -> int:
    components: list[dict[str, Any]] = message.payload.get("components") or [{}]
    return int(components[0].get("id") or 0)
