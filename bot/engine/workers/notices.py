"""Post notices, each to the `Addressee` of its kind."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from bot.aio.liveness import TRANSFER_TIMEOUT
from bot.aio.retry import StoreRetry
from bot.aio.worker import KeyedWorker
from bot.domain import Announcement, ChannelGone, ForModerators, Job, JobState, Posted, TryLater
from bot.engine.context import EngineContext
from bot.engine.ports import Delivery
from bot.engine.workers.approvals import ApprovalNotices, to_decide_on
from bot.engine.workers.ended_jobs import EndedJobs, NotYet
from bot.servers import access, notices, settings
from bot.servers.notices import CHANNEL, Addressee, Notice, NoticeKind

_log = logging.getLogger(__name__)

_PEOPLE = frozenset({Addressee.OWNER, Addressee.MEMBER})
# No news any more once the job has left that state.
_AS_LONG_AS = {NoticeKind.UNKNOWN: JobState.UNKNOWN, NoticeKind.STILL_RUNNING: JobState.RUNNING}


class NoticeOutbox:
    """Posts notices, in each server one after the other. One that can't be posted for a day is given up."""

    def __init__(self, context: EngineContext, delivery: Delivery, ended_jobs: EndedJobs) -> None:
        self._context = context
        self._approvals = ApprovalNotices(context, ended_jobs)
        self._delivery = delivery
        self._retry = StoreRetry("storing what admins were told", context.liveness)
        self.worker = KeyedWorker[int](
            "posting notices",
            context.finding(lambda transaction, limit: transaction.run(notices.servers_waiting, limit)),
            self._serve,
            self._give_up,
            key=lambda guild_id: guild_id,
            noun="server",
            size=context.tuning.notices_at_once,
            setting=context.worker_setting,
            # A result that is gone is fetched again. First in the channel, then to the owner.
            patience=TRANSFER_TIMEOUT + 2 * context.tuning.delivery_patience,
            shared_by=lambda guild_id: (guild_id, guild_id),
        )

    async def _serve(self, guild_id: int, tries: int) -> float | None:
        """Post the server's oldest notice."""
        notice = await self._oldest(guild_id)
        if notice is None:
            return None
        again = await self._tell(notice)
        if again is None:
            self.worker.add(guild_id)  # there may be another one
            return None
        return self._context.redelivery_pause(tries + 1, again)

    async def _give_up(self, guild_id: int) -> None:
        """Drop the oldest notice, which met unexpected errors again and again, for those behind it."""
        notice = await self._oldest(guild_id)
        if notice is not None:
            _log.error("Server %d: a notice (%s) can't be posted", guild_id, notice.kind)
            await self._close(notice, None)

    async def _oldest(self, guild_id: int) -> Notice | None:
        async with self._context.storage.read() as transaction:
            return next(iter(await transaction.run(notices.pending, 1, guild_id)), None)

    async def _tell(self, notice: Notice) -> float | None:
        """Return None when the notice is done with, or in how many seconds to try again."""
        async with self._context.storage.read() as transaction:
            log = await transaction.run(settings.log_of, notice.guild_id)
            rules = await transaction.run(access.approvals, notice.guild_id)
            job = None if notice.job_id is None else await transaction.jobs.get(notice.job_id)
            decides = notice.kind in (NoticeKind.APPROVAL, NoticeKind.REVIEW)
            jobs = await to_decide_on(transaction, notice, job) if decides and job is not None else []
        if notice.kind is NoticeKind.DECIDED:
            return await self._reduce(notice, job)
        if self._is_over(notice, job) or (decides and not jobs):
            await self._close(notice, None)
            return None
        if jobs:
            return await self._ask(notice, rules.channel_id, jobs)
        past_the_log = notice.kind.addressee in _PEOPLE or notice.details.get("in_place")
        return await self._post(notice, None if past_the_log else log.channel_id, job)

    async def _post(self, notice: Notice, log_channel: int | None, job: Job | None) -> float | None:
        """Post the notice in the first place that is there. Return as `_tell` does."""
        places: list[int | None] = [one for one in (log_channel, _asked_in(notice)) if one is not None]
        if notice.kind.addressee is not Addressee.LOG:
            places.append(None)  # a person
        said: Announcement | ChannelGone | None = None
        lost: int | None = None
        for place in places:
            said = await self._say(notice, place, job)
            if not isinstance(said, ChannelGone):
                break
            lost = log_channel  # it is the first place, if there is one
        age = self._context.clock.now() - notice.created_at
        if isinstance(said, TryLater) and age < timedelta(seconds=self._context.tuning.notice_bound):
            return said.seconds
        if places and not isinstance(said, Posted):
            told = "Server %d: a notice (%s) was not posted: %s"
            _log.warning(told, notice.guild_id, notice.kind, said, extra={"job": notice.job_id})
        works = isinstance(said, Posted) and lost is None and log_channel is not None
        # Not noted, it would be told again and again.
        await self._retry.run(notice.id, self._close, notice, said, lost, works=works)
        return None

    async def _ask(self, notice: Notice, channel_id: int | None, jobs: Sequence[Job]) -> float | None:
        """Post what is to be decided on. Return as `_tell` does; what can't be posted ends."""
        try:
            shown = await self._approvals.shown(notice, jobs)
        except NotYet as reason:
            return reason.seconds
        said = ChannelGone("no channel is set")
        if channel_id is not None:
            said = await self._say(notice, channel_id, jobs[0], shown)
        if isinstance(said, TryLater):
            return said.seconds  # it ends when nobody has decided on it for long
        if not isinstance(said, Posted):
            told = "Server %d: a request or result for moderators was not posted: %s"
            _log.warning(told, notice.guild_id, said, extra={"job": jobs[0].id})
            await self._retry.run(notice.id, self._approvals.end, notice, jobs, turned_off=channel_id is None)
        await self._retry.run(notice.id, self._close, notice, said, asked_in=channel_id)
        return None

    async def _reduce(self, notice: Notice, job: Job | None) -> float | None:
        """Remove prompt, files and buttons from the message that asked for a decision. Return as `_tell`
        does."""
        kind, _, key = notice.key.partition(":")
        async with self._context.storage.read() as transaction:
            asked = await transaction.run(notices.get, notice.guild_id, NoticeKind(kind), key)
            rules = await transaction.run(access.approvals, notice.guild_id)
        # Discord may have taken the message without our knowing: then it is looked for.
        place = None if asked is None else asked.details.get(CHANNEL, rules.channel_id)
        if job is not None and asked is not None and place is not None:
            what, reducing = "Reducing a request", self._delivery.reduce_request(job, asked, int(place))
            done = await self._context.delivered(what, reducing, late=False, job_id=job.id)
            age = self._context.clock.now() - notice.created_at
            if not done and age < timedelta(seconds=self._context.tuning.notice_bound):
                return 0.0
        await self._close(notice, None)
        return None

    def _is_over(self, notice: Notice, job: Job | None) -> bool:
        wanted = _AS_LONG_AS.get(notice.kind)
        return wanted is not None and (job is None or job.state is not wanted)

    async def _say(
        self, notice: Notice, channel_id: int | None, job: Job | None, shown: ForModerators | None = None
    ) -> Announcement | ChannelGone:
        posting = self._delivery.post_notice(notice, channel_id, job, shown)
        what = f"Server {notice.guild_id}: posting a notice ({notice.kind})"
        return await self._context.delivered(what, posting, TryLater(0.0), job_id=notice.job_id)

    async def _close(
        self,
        notice: Notice,
        said: Announcement | ChannelGone | None,
        lost_channel: int | None = None,
        *,
        works: bool = False,
        asked_in: int | None = None,
    ) -> None:
        """Close the notice.

        `lost_channel` is the log channel, if it is gone. `works` says that the notice was posted there.
        `asked_in` is the channel of a message that is changed later.
        """
        now = self._context.clock.now()
        message_id = said.message_id if isinstance(said, Posted) else None
        async with self._context.storage.write() as transaction:
            await transaction.run(notices.close, notice.id, now, message_id, asked_in)
            if works:
                await transaction.run(notices.forget, notice.guild_id, NoticeKind.LOG_LOST)
            if lost_channel is not None:
                await transaction.run(
                    notices.add,
                    notice.guild_id,
                    NoticeKind.LOG_LOST,
                    str(lost_channel),
                    at=now,
                    details={"channel": lost_channel},
                )


def _asked_in(notice: Notice) -> int | None:
    """Return the channel where admins read the notice if there is no log channel: where it was asked for."""
    place = notice.details.get("asked_in")
    return int(place) if notice.kind is NoticeKind.CREDITS_ASKED and place is not None else None
