"""A starred result that the bot dies of: while it is shown among the best, and while it is taken back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.clock import SystemClock
from bot.db import Database
from bot.features import posting
from bot.jobs import best_results
from bot.jobs.best_results import BEST
from bot.jobs.models import JobState
from sandbox.discord.emulator import APPLICATION_ID
from sandbox.discord.emulator.places import Channel
from tests.crash.life import ENDED
from tests.crash.trial import Death, Verdict, ensure_known
from tests.crash.world import KILLED, MAYA, Case, CrashWorlds, Zygote
from tests.support.database import given
from tests.support.jobs import a_job, keep_job

_STAR_POINTS = "outbox."  # a part of points: the module that begins, sends, seeks, removes and notes a post
_OPEN = f"posts WHERE kind = '{BEST}' AND due_at IS NOT NULL"


@dataclass(frozen=True)
class StarTrial:
    """A result that has the stars, and whose maker agrees; `back`: it is shown, and has lost them."""

    deaths: Sequence[Death] = ()
    back: bool = False
    later: float = 0.0

    async def make(self, worlds: CrashWorlds, zygote: Zygote) -> Verdict:
        """Return how it goes."""
        case = await worlds.case()
        best_id = case.channel_id + 500_000
        worlds.discord.places.add_channel(Channel(best_id, case.guild_id, "best-of"))
        starred = await _starred(worlds, case, best_id)
        open_rows = (_OPEN,)
        if self.back:
            await zygote.live(worlds.life(case, goes_on=open_rows))
            async with Database.open(case.database) as db:
                await db.write(best_results.unwant, case.guild_id, [starred], SystemClock().now())
        died = 0
        for death in self.deaths:
            life = worlds.life(case, point=death.point, nth=death.nth, goes_on=open_rows)
            if await zygote.live(life) != KILLED:
                break
            died += 1
        if self.later:
            worlds.discord.channels.forget_nonces()
        code = await zygote.live(
            worlds.life(case, trace=not self.deaths, later=self.later, goes_on=open_rows)
        )
        complaints = await self._wrong(worlds, case, best_id, starred)
        if code != ENDED:
            complaints.append(f"the last life ended with {code}")
        traced = code == ENDED and not self.deaths
        points: dict[str, int] = json.loads((case.folder / "points.json").read_text()) if traced else {}
        await worlds.drop(case)
        return Verdict(JobState.SUCCEEDED, died, complaints, points)

    async def _wrong(self, worlds: CrashWorlds, case: Case, best_id: int, starred: int) -> list[str]:
        async with Database.open(case.database) as db:
            best = await db.read(best_results.get, case.guild_id, starred)
        there = [one.id for one in worlds.discord.in_channel(best_id)]
        if self.back:
            left = [] if best is None else ["it is still said to be shown"]
            return left + (["it is still shown"] if there else [])
        stored = None if best is None else best.message_id
        return [] if there == [stored] else [f"{len(there)} messages show it, and {stored} is stored"]

    def __str__(self) -> str:
        deaths = " | ".join(f"{death.point} (time {death.nth})" for death in self.deaths) or "no death"
        return f"star, {'taken back, ' * self.back}{deaths}"


def star_deaths(points: Mapping[str, int]) -> list[Death]:
    """Every death while a starred result is dealt with."""
    ensure_known(points, _STAR_POINTS)
    found = [point for point in sorted(points) if _STAR_POINTS in point]
    return [Death(point, nth) for point in found for nth in range(1, min(points[point], 3) + 1)]


async def _starred(worlds: CrashWorlds, case: Case, best_id: int) -> int:
    """Store a posted result that has the stars. Return its message."""
    message = worlds.discord.post(case.channel_id, APPLICATION_ID, "A result")
    now = SystemClock().now()
    new = a_job(guild_id=case.guild_id, channel_id=case.channel_id, user_id=MAYA, age_restricted=False)
    job = replace(
        new,
        state=JobState.SUCCEEDED,
        created_at=now,
        changed_at=now,
        announced_at=now,
        result_message_id=message.id,
    )
    async with Database.open(case.database) as db:
        await db.write(given(keep_job, job))
        await db.write(posting.change, case.guild_id, best_channel_id=best_id)
        await db.write(best_results.answer, MAYA, now, agreed=True)
        await db.write(best_results.want, job.id, case.channel_id, message.id, now)
    return message.id
