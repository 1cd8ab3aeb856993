"""Keeps the cards of jobs up to date."""

import asyncio
import logging
from collections.abc import Callable

from bot.engine.crew import Crew
from bot.engine.loops import untorn
from bot.engine.places import Places
from bot.engine.ports import Delivery
from bot.engine.steps import Tools
from bot.model import Job, JobState, Progress

_log = logging.getLogger(__name__)


class Cards:
    """Shows each card the newest version of its job. `position` tells a waiting job's place in line."""

    def __init__(self, tools: Tools, delivery: Delivery, position: Callable[[str], int | None]) -> None:
        self._tools = tools
        self._delivery = delivery
        self._position = position
        self._places = Places()
        self.crew = Crew(
            "showing cards",
            self._find,
            self._show,
            size=tools.tuning.cards_at_once,
            clock=tools.clock,
            pulse=tools.pulse,
            look_around=tools.tuning.look_around,
        )

    async def _find(self, limit: int) -> list[Job]:
        async with self._tools.storage.read() as tx:
            stale = await tx.jobs.stale_cards(limit)
            moved = self._places.moved(self._position, self._tools.clock.monotonic())
            seen = {job.id for job in stale}
            return stale + [job for job in await tx.jobs.in_line(moved) if job.id not in seen]

    async def _show(self, job: Job, tries: int) -> float | None:
        try:
            async with asyncio.timeout(self._tools.tuning.delivery_patience):
                shown = await self._delivery.show_card(job, Progress(self._position(job.id)))
        except TimeoutError:
            _log.warning("Job %s: showing its card took too long", job.id, extra={"job": job.id})
            shown = False
        if not shown:
            return self._tools.tuning.card_again
        place = self._position(job.id) if job.state is JobState.WAITING else None
        self._places.shown(job.id, place, self._tools.clock.monotonic())
        await untorn(self._note(job))
        return None

    async def _note(self, job: Job) -> None:
        async with self._tools.storage.write() as tx:
            await tx.jobs.card_shows(job.id, job.version)
