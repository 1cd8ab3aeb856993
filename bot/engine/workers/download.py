"""Collect the outputs of running jobs into the spool: then the job has succeeded."""

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.aio.shield import shielded
from bot.backoff import backoff
from bot.engine.context import EngineContext
from bot.engine.workers.due import DueJobs
from bot.engine.workers.outputs import BrokenPicture, NoPicture, Outputs, SpoolFull
from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, Job, JobState, Trouble
from bot.jobs.transitions import charge_of
from bot.media.spool import OutputFile
from bot.reasons import Reason, ReasonCode
from bot.studii import DownloadFailed, MalformedAnswer, OutputGone, StudiiError, TooLarge

_log = logging.getLogger(__name__)


class Collector:
    """Downloads outputs. What was paid for is not given up lightly: a fresh address is asked for, and what is
    not there is sought again for some minutes, as it may have been announced too early."""

    def __init__(self, context: EngineContext, outputs: Outputs) -> None:
        self._context = context
        self._outputs = outputs
        work = (queries.to_download, self._collect, self._give_up, context.tuning.downloads_at_once)
        self.worker = DueJobs(context, "fetching outputs", *work)

    async def _collect(self, job: Job) -> float | None:
        try:
            output = await self._outputs.fetch(job)
        except SpoolFull:
            _log.warning("Job %s: the spool is full, its output waits", job.id)
            return await self._rest(job)
        except (TooLarge, NoPicture) as error:
            return await shielded(self._fail(job, error.told))
        except (OutputGone, DownloadFailed, MalformedAnswer) as error:
            _log.info("Job %s: its output can't be fetched from Studii (%s)", job.id, error.reason)
            return await self._again(job, error)
        except OSError as error:
            _log.warning("Job %s: its output can't be written: %s", job.id, error)
            return await self._rest(job)
        return await shielded(self._succeed(job, output))

    async def _rest(self, job: Job) -> None:
        """Let it wait for room on the disk."""
        until = self._context.clock.now() + timedelta(seconds=self._context.tuning.full_disk_pause)
        await shielded(self._context.db.write(transitions.later, job.id, until, counts=False))

    async def _again(self, job: Job, error: StudiiError) -> float | None:
        tuning = self._context.tuning
        gone = isinstance(error, OutputGone)
        last = job.tries + 1 >= tuning.download_tries
        if (gone or last) and job.trouble != Trouble.ANEW:
            # Studii is asked for a fresh address, once.
            anew: dict[str, Any] = {
                "output_url": None,
                "trouble": Trouble.ANEW,
                "tries": 0,
                "not_before": None,
            }
            await shielded(self._context.db.write(transitions.change, job.id, **anew))
            return None
        if not last:
            return backoff(job.tries + 1, tuning.download_pause, tuning.backoff_bound)
        code = ReasonCode.OUTPUT_BROKEN if isinstance(error, BrokenPicture) else ReasonCode.OUTPUT_NOT_FETCHED
        why = Reason(ReasonCode.OUTPUT_NOT_THERE if gone else code)
        return await shielded(self._fail(job, why, link=not gone))

    async def _give_up(self, job: Job) -> None:
        await shielded(self._fail(job, Reason(ReasonCode.OUTPUT_UNEXPECTED_ERROR)))

    async def _succeed(self, job: Job, output: OutputFile) -> None:
        now, file = self._context.clock.now(), (output.path.name, output.kind)
        done = await self._context.db.write(transitions.succeed, job.id, *file, now)
        if done is not None and done.state is JobState.REVIEWING:
            _log.info("Job %s: its result waits for approval", job.id)
        elif done is not None:
            _log.info("Job %s succeeded", job.id)

    async def _fail(self, job: Job, reason: Reason, *, link: bool = True) -> None:
        """Fail the job. `link` says that the address may still lead its person to the output."""
        now = self._context.clock.now()
        await self._context.db.write(_lose, job.id, reason, charge_of(job), now, link=link)
        _log.warning("Job %s: its output can't be fetched", job.id)


def _lose(session: Session, job_id: str, reason: Reason, charge: int, at: datetime, *, link: bool) -> None:
    failed = transitions.fail_paid(session, job_id, FailureCode.OUTPUT, reason, charge, at)
    if failed is not None and not link:
        transitions.change(session, job_id, output_url=None)
        transitions.tell_result_lost(session, job_id, at)
