"""Get the files of ended jobs: from the spool, else from Studii again."""

import logging
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from bot.backoff import backoff
from bot.db import WRITE_TIMEOUT
from bot.engine.context import EngineContext
from bot.engine.lanes import Lanes
from bot.engine.requests import NoRequestLeft
from bot.engine.workers.outputs import Outputs, SpoolFull
from bot.jobs import transitions
from bot.jobs.models import Job, JobState
from bot.media.spool import OutputFile
from bot.servers import keys
from bot.servers.keys import StudiiKey
from bot.studii import ApiRefused, MalformedAnswer, OutputGone, StudiiError, TooLarge
from bot.vault import CannotDecrypt

_log = logging.getLogger(__name__)


class NotYet(Exception):
    """The file is fetched again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class NotNow(Exception):
    """The file can't be fetched now, but perhaps later."""


class Refetch:
    """Fetches outputs again that were paid for and lost: by a disk, or by restoring a backup without them."""

    def __init__(self, context: EngineContext, outputs: Outputs, lanes: Lanes) -> None:
        self._context = context
        self._outputs = outputs
        self._lanes = lanes

    async def with_output(self, job: Job, tries: int) -> tuple[Job, OutputFile | None]:
        """Return the job, and its file as it is to be posted; see `with_file` for one that was lost."""
        output = await self._output_of(job)
        if output is None:
            job = await self.with_file(job, tries)
            output = await self._output_of(job)
        return job, output

    async def with_file(self, job: Job, tries: int) -> Job:
        """Return the job, whose file is fetched again if it was lost.

        After so many `tries` at posting it, the job is returned without a file. Raises `NotYet`.
        """
        tuning = self._context.tuning
        try:
            return await self._fetch(job)
        except NoRequestLeft as reason:
            if tries <= tuning.refetch_room_tries:
                raise NotYet(reason.seconds) from None
        except NotNow as reason:
            _log.info("Job %s: its output can't be fetched again: %s", job.id, reason)
            if tries < tuning.refetch_tries:
                raise NotYet(backoff(tries, tuning.download_pause, tuning.backoff_bound)) from None
        return job

    async def fresh_link(self, job: Job) -> str | None:
        """Return the address of the output as Studii gives it now, or the last one if it gives none."""
        try:
            return await self._fresh_address(job) or job.output_url
        except (NoRequestLeft, NotNow):
            return job.output_url

    async def _output_of(self, job: Job) -> OutputFile | None:
        """Return the job's file in the spool, with the photo before."""
        spool = self._context.spool
        output = None if job.output_file is None else await spool.open_output(job.output_file)
        if output is not None and output.kind == "image" and job.source_file is not None:
            # Before and after are shown together.
            output = replace(output, before=await spool.open_output(job.source_file))
        return output

    async def _fetch(self, job: Job) -> Job:
        """Return the job with the file, which was fetched again.

        The job has no file if Studii doesn't give it (any more), and no address if that leads nowhere.
        Raises `NotNow` and `NoRequestLeft`.
        """
        paid = job.state in {JobState.SUCCEEDED, JobState.REVIEWING}
        if not paid or job.output_file is None or job.output_url is None:
            return job
        if await self._context.spool.open_output(job.output_file) is not None:
            return job
        _log.warning("Job %s: its output is fetched again", job.id)
        fetched = await self._from_its_address(job)
        if fetched is None and (address := await self._fresh_address(job)) is not None:
            fetched = await self._from_its_address(replace(job, output_url=address))
        if fetched is None:
            fetched = replace(job, output_url=None)
        url, file, now = fetched.output_url, fetched.output_file, self._context.clock.now()
        await self._context.db.write(_note, job.id, url, file, now, within=WRITE_TIMEOUT)
        return fetched

    async def _from_its_address(self, job: Job) -> Job | None:
        """Return the job with the file from its address. None if it is no longer there."""
        try:
            output = await self._outputs.fetch(job)
        except OutputGone:
            return None
        except TooLarge:
            return job
        except SpoolFull:
            raise NotNow("the spool is full") from None
        except (StudiiError, OSError) as error:
            raise NotNow(repr(error)) from None
        return replace(job, output_file=output.path.name)

    async def _fresh_address(self, job: Job) -> str | None:
        """Ask for the address with the key that the job was made with, or with the server's current one."""
        key = await self._context.db.read(_key_of, job.key_id, job.guild_id)
        if key is None or job.studii_id is None:
            return None
        try:
            secret = self._context.vault.unseal(key.ciphertext)
            report = await self._lanes.ask(key, secret, job)
        except (CannotDecrypt, ApiRefused, MalformedAnswer):
            return None
        except StudiiError as error:
            raise NotNow(repr(error)) from None
        return report.output_url


def _note(session: Session, job_id: str, url: str | None, file: str | None, at: datetime) -> None:
    transitions.change(session, job_id, output_url=url, output_file=file)
    if url is None:
        transitions.tell_result_lost(session, job_id, at)


def _key_of(session: Session, key_id: int | None, guild_id: int) -> StudiiKey | None:
    own = None if key_id is None else keys.get(session, key_id)
    return own if own is not None and own.ciphertext else keys.current(session, guild_id)
