"""What a server's admins are told: in its log channel, else in some cases its owner."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from bot.aio.liveness import OPERATION_TIMEOUT
from bot.aio.loops import WakeUp, rest_after, run_forever
from bot.aio.retry import ErrorLog, Retry, backoff
from bot.aio.shield import shielded
from bot.domain import Announcement, ChannelGone, Job, JobState, Notice, NoticeKind, Posted, TryLater
from bot.engine.context import EngineContext
from bot.engine.ports import Delivery

_log = logging.getLogger(__name__)

AT_ONCE = 4  # servers
FOUND = 50  # notices looked at in one go
# Somebody has to act: the owner hears of it where there is no log channel.
_FOR_THE_OWNER = frozenset(
    {
        NoticeKind.KEY_REFUSED,
        NoticeKind.OUT_OF_CREDITS,
        NoticeKind.PLAN_DOUBTED,
        NoticeKind.LOG_LOST,
        NoticeKind.UNKNOWN,
        NoticeKind.STILL_RUNNING,
    }
)
# No news any more once the job has left that state.
_AS_LONG_AS = {NoticeKind.UNKNOWN: JobState.UNKNOWN, NoticeKind.STILL_RUNNING: JobState.RUNNING}


@dataclass(frozen=True, slots=True)
class _Rest:
    tries: int
    until: float


class NoticeBoard:
    """Posts notices, in each server one after the other; one that can't be posted for a day is given up."""

    def __init__(self, context: EngineContext, delivery: Delivery) -> None:
        self.wake_up = WakeUp()
        self._context = context
        self._delivery = delivery
        self._errors = ErrorLog("telling a server's admins")
        self._retry = Retry("noting what admins were told", context.liveness)
        self._rests: dict[int, _Rest] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._patience = (
            2 * context.tuning.delivery_patience + OPERATION_TIMEOUT
        )  # in the channel, then to the owner

    async def run(self) -> None:
        """Until cancelled."""
        await run_forever("telling admins", self.wake_up, self._turn)

    async def _turn(self) -> float:
        now = self._context.clock.monotonic()
        resting = {guild_id for guild_id, rest in self._rests.items() if rest.until > now}
        with self._context.liveness.operation("looking for what admins are told", progress=False):
            async with self._context.storage.read() as tx:
                found = await tx.notices.pending(FOUND, besides=resting)
        await rest_after(self._context.clock.monotonic() - now, self._context.tuning.look_around)
        waiting = {one.guild_id for one in found}
        self._rests = {
            guild: rest for guild, rest in self._rests.items() if rest.until > now or guild in waiting
        }
        by_guild = sorted(found, key=lambda one: (one.guild_id, one.id))
        async with asyncio.TaskGroup() as group:
            for guild_id, notices in groupby(by_guild, key=lambda one: one.guild_id):
                group.create_task(self._serve(guild_id, list(notices)))
        if found:
            self.wake_up.set()  # there may be more
        now = self._context.clock.monotonic()
        return min(
            [self._context.tuning.look_around, *(max(0.0, rest.until - now) for rest in self._rests.values())]
        )

    async def _serve(self, guild_id: int, notices: Sequence[Notice]) -> None:
        async with self._places:
            for notice in notices:
                try:
                    # Between Discord's answer and our note of it nothing may be torn apart.
                    with self._context.liveness.operation(f"telling server {guild_id}", self._patience):
                        again = await shielded(self._tell(notice), patience=self._context.tuning.drain)
                except Exception as error:  # noqa: BLE001 - logged; other servers must not notice
                    again = self._errors.failed(error, guild_id)
                else:
                    self._errors.succeeded(guild_id)
                if again is not None:
                    self._rest(guild_id, again)
                    return
                self._rests.pop(guild_id, None)

    def _rest(self, guild_id: int, again: float) -> None:
        rest = self._rests.get(guild_id)
        tries = 1 if rest is None else rest.tries + 1
        bound = self._context.tuning.announcement_bound
        pause = min(max(again, backoff(tries, 1.0, bound)), bound)
        self._rests[guild_id] = _Rest(tries, self._context.clock.monotonic() + pause)

    async def _tell(self, notice: Notice) -> float | None:
        """None: it is done with; else in how many seconds to try again."""
        async with self._context.storage.read() as tx:
            log = await tx.logs.get(notice.guild_id)
            job = None if notice.job_id is None else await tx.jobs.get(notice.job_id)
        if self._is_over(notice, job):
            await self._close(notice, None)
            return None
        to_owner = notice.kind is NoticeKind.LOG_LOST or log.channel_id is None
        if to_owner and notice.kind not in _FOR_THE_OWNER:
            await self._close(notice, None)
            return None
        said = await self._say(notice, None if to_owner else log.channel_id, job)
        lost = log.channel_id if isinstance(said, ChannelGone) and not to_owner else None
        if lost is not None and notice.kind in _FOR_THE_OWNER:
            said = await self._say(notice, None, job)
        age = self._context.clock.now() - notice.created_at
        if isinstance(said, TryLater) and age < timedelta(seconds=self._context.tuning.notice_bound):
            return said.seconds
        if not isinstance(said, Posted):
            told = "Server %d: a notice (%s) was not posted: %s"
            _log.warning(told, notice.guild_id, notice.kind, said, extra={"job": notice.job_id})
        works = isinstance(said, Posted) and not to_owner and lost is None
        # Not noted, it would be told again and again.
        await self._retry.run(lambda: self._close(notice, said, lost, works=works), notice.id)
        return None

    def _is_over(self, notice: Notice, job: Job | None) -> bool:
        wanted = _AS_LONG_AS.get(notice.kind)
        return wanted is not None and (job is None or job.state is not wanted)

    async def _say(
        self, notice: Notice, channel_id: int | None, job: Job | None
    ) -> Announcement | ChannelGone:
        try:
            async with asyncio.timeout(self._context.tuning.delivery_patience):
                return await self._delivery.notify(notice, channel_id, job)
        except TimeoutError:
            return TryLater(0.0)

    async def _close(
        self,
        notice: Notice,
        said: Announcement | ChannelGone | None,
        lost_channel: int | None = None,
        *,
        works: bool = False,
    ) -> None:
        """`lost_channel`: the log channel, if it is gone; `works`: the notice was posted there."""
        now = self._context.clock.now()
        message_id = said.message_id if isinstance(said, Posted) else None
        async with self._context.storage.write() as tx:
            await tx.notices.close(notice.id, now, message_id)
            if works:
                await tx.notices.forget(notice.guild_id, NoticeKind.LOG_LOST)
            if lost_channel is not None:
                await tx.notices.add(
                    notice.guild_id,
                    NoticeKind.LOG_LOST,
                    str(lost_channel),
                    at=now,
                    details={"channel": lost_channel},
                )
