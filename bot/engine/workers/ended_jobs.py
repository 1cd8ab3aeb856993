"""Get the files of ended jobs that are posted, alone or as a set, and note that they were."""

import logging
from dataclasses import replace
from datetime import datetime

from bot.aio.retry import FailureCounts
from bot.backoff import backoff
from bot.engine.context import EngineContext
from bot.engine.lanes.out_of_band import NoRequestLeft
from bot.engine.workers.refetch import NotNow, Refetch
from bot.jobs import transitions
from bot.jobs.delivery import Posted, Undeliverable
from bot.jobs.models import Approval, Job, JobState
from bot.jobs.transitions import JobChanges
from bot.media.spool import OutputFile
from bot.servers import notices
from bot.servers.notices import NoticeKind
from bot.storage import Transaction

_log = logging.getLogger(__name__)


class NotYet(Exception):
    """The file is fetched again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class EndedJobs:
    """Gets the files of jobs that have ended, and notes what became of their announcements."""

    def __init__(self, context: EngineContext, refetch: Refetch) -> None:
        self._context = context
        self._refetch = refetch
        self._waits = FailureCounts()
        self._fetches = FailureCounts()

    async def with_file(self, job: Job) -> Job:
        """Return the job, whose file is fetched again if it was lost; without a file if that fails.

        Raises `NotYet`.
        """
        try:
            job = await self._refetch.fetch(job)
        except NoRequestLeft as reason:
            if self._waits.count(job.id) <= self._context.tuning.refetch_room_tries:
                raise NotYet(reason.seconds) from None
        except NotNow as reason:
            _log.info("Job %s: its output can't be fetched again: %s", job.id, reason)
            fetches = self._fetches.count(job.id)
            tuning = self._context.tuning
            if fetches < tuning.refetch_tries:
                raise NotYet(backoff(fetches, tuning.download_pause, tuning.backoff_bound)) from None
        self._waits.forget(job.id)
        self._fetches.forget(job.id)
        return job

    async def with_output(self, job: Job) -> tuple[Job, OutputFile | None]:
        """Return the job, and its file as it is to be posted; see `with_file` for one that was lost."""
        output = await self._output_of(job)
        if output is None:
            job = await self.with_file(job)
            output = await self._output_of(job)
        return job, output

    async def _output_of(self, job: Job) -> OutputFile | None:
        """Return the job's file in the spool, with the photo before."""
        output = None
        if job.output_file is not None:
            output = await self._context.spool.open_output(job.output_file)
        if output is not None and output.kind == "image" and job.source_file is not None:
            # Before and after are shown together.
            output = replace(output, before=await self._context.spool.open_output(job.source_file))
        return output

    async def note(
        self,
        transaction: Transaction,
        job: Job,
        said: Posted | Undeliverable,
        at: datetime,
        *,
        superseded: bool,
    ) -> list[str | None]:
        """Store what became of the announcement. Return the names of files that are not needed any more.

        `superseded`: a posting has taken the place of the job's card. If the job was ruled on, or is to be
        posted again, meanwhile, this was not its last word, and nothing is stored.
        """
        changes = JobChanges(result_message_id=None, set_message=None)
        files: list[str | None] = []
        if isinstance(said, Posted):
            changes |= JobChanges(
                result_message_id=said.message_id,
                result_channel_id=said.channel_id,
                result_by_dm=said.by_dm,
                card_superseded_at=at if superseded else None,
                set_message=job.set_message,
            )
            if job.state is not JobState.WITHHELD:  # for moderators, who may still release it
                changes |= JobChanges(source_file=None, output_file=None)
                files = [job.source_file, job.output_file]
        elif job.output_file is None:
            # A result that could not be posted is kept, with the photo before, until its person fetches it.
            changes["source_file"] = None
            files = [job.source_file]
        # A card that stays says where the last word is.
        posting = (job.id, job.state, job.posting)
        logged = await transaction.run(transitions.announce, *posting, at, visible=not superseded, **changes)
        if logged and isinstance(said, Posted) and job.state is JobState.SUCCEEDED:
            await transaction.run(notices.add, job.guild_id, NoticeKind.MADE, job.nonce, at=at, job_id=job.id)
        return [] if logged is None else files

    def posted(self, job: Job) -> None:
        """Tell how long it took from the job's end until its message was there."""
        _log.info("Job %s is posted", job.id)
        if job.finished_at is not None:
            # A result that had to be approved is late since then, not since its end.
            approved = job.result_approval is Approval.GIVEN
            since = job.changed_at if approved else job.finished_at
            self._context.posted((self._context.clock.now() - since).total_seconds())
