"""Taps and their taking back, in the order in which they came."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.errors import Refused
from bot.model import Job
from bot.reactions.backlog import Backlog
from bot.reactions.seen import Tapped
from bot.reactions.started import Hand, StartedByTap
from bot.services import JobService

_log = logging.getLogger(__name__)

WAITING = 100  # taps of a server
WAITING_IN_ALL = 1000
AT_ONCE = 4
NOBODY = 0


@dataclass(frozen=True, slots=True)
class _TakenBack:
    """Somebody's emoji is gone. `cleared`: with everybody's, so it was not they who took it."""

    message_id: int
    hand: Hand
    cleared: bool


class Taps:
    """Starts what was tapped, and cancels what still waits when the reaction goes.

    What a tap started is remembered, so it does not matter what its emoji stands for by then.
    """

    def __init__(self, jobs: JobService, start: Callable[[Tapped], Awaitable[Job | None]]) -> None:
        self._jobs = jobs
        self._start = start
        self._started = StartedByTap()
        self._backlog = Backlog[Tapped | _TakenBack](
            "jobs from reactions", self._do, bound=WAITING, bound_in_all=WAITING_IN_ALL, at_once=AT_ONCE
        )

    async def load(self) -> None:
        """Remember what taps had started before the bot was."""
        for job in await self._jobs.waiting_from_taps():
            if job.tapped is not None and job.origin_message_id is not None:
                self._started.note(job.origin_message_id, Hand(job.user_id, job.tapped), job.id)

    async def close(self) -> None:
        """Drop what waits."""
        await self._backlog.close()

    def add(self, tapped: Tapped) -> None:
        """Start its job in a moment."""
        if self._backlog.put(tapped.guild_id, tapped):
            self._started.note(tapped.message_id, _hand(tapped))

    def take_back(self, guild_id: int, message_id: int, user_id: int, emoji: str) -> None:
        """That person's emoji is gone."""
        hand = Hand(user_id, emoji)
        if hand in self._started.under(message_id):
            self._take_back(guild_id, _TakenBack(message_id, hand, cleared=False))

    def clear(self, guild_id: int, message_id: int, emoji: str | None = None) -> None:
        """Somebody took everybody's away: of that emoji, or (None) of all."""
        for hand in self._started.under(message_id, emoji):
            self._take_back(guild_id, _TakenBack(message_id, hand, cleared=True))

    def _take_back(self, guild_id: int, gone: _TakenBack) -> None:
        def undone(one: Tapped | _TakenBack) -> bool:
            return isinstance(one, Tapped) and one.message_id == gone.message_id and _hand(one) == gone.hand

        self._backlog.withdraw(guild_id, undone)
        # It costs no request, and each moment counts; what is being started now is done before it.
        self._backlog.put(guild_id, gone, first=True)

    async def _do(self, one: Tapped | _TakenBack) -> None:
        if isinstance(one, Tapped):
            job = await self._start(one)
            if job is not None:
                self._started.note(one.message_id, _hand(one), job.id)
            elif self._started.job(one.message_id, _hand(one)) is None:
                self._started.forget(one.message_id, _hand(one))
            return
        job_id = self._started.job(one.message_id, one.hand)
        self._started.forget(one.message_id, one.hand)
        if job_id is None:
            return
        try:
            by = NOBODY if one.cleared else one.hand.user_id
            await self._jobs.cancel(job_id, by, moderates=one.cleared)
        except Refused:
            return  # it is being made, or has been


def _hand(tapped: Tapped) -> Hand:
    return Hand(tapped.user_id, tapped.emoji.key)
