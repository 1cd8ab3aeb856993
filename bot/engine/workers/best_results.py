"""Starred results are shown once their makers agree, and taken back when they are no longer to be shown."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.aio.retry import StoreRetry
from bot.aio.worker import KeyedWorker
from bot.engine.context import EngineContext
from bot.engine.ports import Showcase
from bot.features import posting
from bot.features.posting import PostingRules
from bot.jobs import best_results
from bot.jobs.best_results import BestConsent, BestResult
from bot.jobs.delivery import Announcement, ChannelGone, Posted, TryLater
from bot.jobs.models import Job
from bot.servers import notices
from bot.servers.notices import NoticeKind

_log = logging.getLogger(__name__)


class BestShowing:
    """Shows, asks and takes back, one result at a time: their files are held in memory meanwhile."""

    def __init__(self, context: EngineContext, showcase: Showcase) -> None:
        self._context = context
        self._showcase = showcase
        self._retry = StoreRetry("storing what became of a best result", context.liveness)
        self.worker = KeyedWorker[BestResult](
            "showing the best results",
            lambda limit: context.db.read(best_results.to_serve, limit),
            self._serve,
            self._drop,
            key=lambda best: best.message_id,
            noun="message",
            size=1,
            setting=context.worker_setting,
            patience=2 * context.tuning.delivery_patience,
        )

    async def _serve(self, best: BestResult, tries: int) -> float | None:
        again = await self._do(best)
        if again is None:
            return None
        return self._context.redelivery_pause(tries + 1, again)

    async def _do(self, known: BestResult) -> float | None:
        """Return None when there is nothing more to do, or in how many seconds to try again."""
        best, job, rules, maker = await self._context.db.read(_read, known.message_id, known.guild_id)
        if best is None:
            return None
        if not best.wanted:
            return await self._take_back(best, rules)
        if job is None or rules.best_channel_id is None:
            await self._drop(best)
            return None
        if best.posted_message_id is not None or (maker is not None and maker.agreed is False):
            return None
        if maker is not None and maker.agreed:
            return await self._show(best, job, rules)
        return None if maker is not None else await self._ask(best, job, rules)

    async def _take_back(self, best: BestResult, rules: PostingRules) -> float | None:
        again = await self._showcase.hide(best, rules)
        if again is not None and not self._too_old(best.since):
            return again
        await self._retry.run(best.message_id, self._gone, best)
        return None

    async def _ask(self, best: BestResult, job: Job, rules: PostingRules) -> float | None:
        said = await self._showcase.ask(best, job, rules)
        if isinstance(said, TryLater):
            if not self._too_old(best.since):
                return said.seconds
            # The maker was never asked: their next starred result is a new occasion.
            await self._retry.run(best.message_id, self._drop, best)
            return None
        await self._retry.run(best.message_id, self._asked, best)
        return None

    async def _show(self, best: BestResult, job: Job, rules: PostingRules) -> float | None:
        begun_at = best.begun_at
        if begun_at is None:
            begun_at = self._context.clock.now()
            await self._context.db.write(best_results.begun, best.message_id, begun_at)
        what, showing = "Showing a starred result", self._showcase.show(best, job, rules)
        said = await self._context.delivered(what, showing, TryLater(0.0), job_id=job.id)
        if isinstance(said, TryLater) and not self._too_old(begun_at):
            return said.seconds
        await self._retry.run(best.message_id, self._note, best, rules, said)
        return None

    async def _note(self, best: BestResult, rules: PostingRules, said: Announcement | ChannelGone) -> None:
        db = self._context.db
        if isinstance(said, Posted) and said.message_id is not None:
            there = said.channel_id or rules.best_channel_id or 0
            await db.write(best_results.shown, best.message_id, there, said.message_id)
            return
        _log.info("Server %d: a starred result isn't shown: %s", best.guild_id, said)
        await db.write(best_results.drop, best.message_id)
        if isinstance(said, ChannelGone):
            lost, now = rules.best_channel_id, self._context.clock.now()
            about = (best.guild_id, NoticeKind.BEST_LOST, str(lost))
            await db.write(notices.add, *about, at=now, details={"channel": lost})

    async def _asked(self, best: BestResult) -> None:
        now = self._context.clock.now()
        await self._context.db.write(best_results.asked, best.user_id, now)

    async def _gone(self, best: BestResult) -> None:
        await self._context.db.write(best_results.gone, best.message_id)

    async def _drop(self, best: BestResult) -> None:
        await self._context.db.write(best_results.drop, best.message_id)

    def _too_old(self, start: datetime) -> bool:
        """Return whether what was to be done since `start` is given up."""
        return self._context.clock.now() - start > timedelta(seconds=self._context.tuning.best_bound)


def _read(
    session: Session, message_id: int, guild_id: int
) -> tuple[BestResult | None, Job | None, PostingRules, BestConsent | None]:
    """Return the result, its job, its server's rules, and what its maker said."""
    best, job = session.get(BestResult, message_id), best_results.result_of(session, guild_id, message_id)
    maker = None if best is None else best_results.consent(session, best.user_id)
    return best, job, posting.of(session, guild_id), maker
