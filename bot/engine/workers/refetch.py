"""Fetch a result from Studii again whose file left the spool before it could be posted."""

import logging
from dataclasses import replace

from bot.engine.context import EngineContext
from bot.engine.lanes.out_of_band import OutOfBandRequests
from bot.engine.workers.outputs import Outputs, SpoolFull
from bot.jobs import transitions
from bot.jobs.models import Job, JobState
from bot.servers import keys
from bot.studii import ApiRefused, MalformedAnswer, OutputGone, StudiiError, TooLarge
from bot.vault import CannotDecrypt

_log = logging.getLogger(__name__)


class NotNow(Exception):
    """The file can't be fetched now, but perhaps later."""


class Refetch:
    """Fetches outputs again that were paid for and lost: by a disk, or by restoring a backup without them."""

    def __init__(self, context: EngineContext, outputs: Outputs, out_of_band: OutOfBandRequests) -> None:
        self._context = context
        self._outputs = outputs
        self._out_of_band = out_of_band

    async def fetch(self, job: Job) -> Job:
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
        async with self._context.storage.write() as transaction:
            url, file = fetched.output_url, fetched.output_file
            await transaction.run(transitions.change, job.id, output_url=url, output_file=file)
            if url is None:
                await transaction.run(transitions.tell_result_lost, job.id, self._context.clock.now())
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
        async with self._context.storage.read() as transaction:
            own = None if job.key_id is None else await transaction.run(keys.get, job.key_id)
            current = await transaction.run(keys.current, job.guild_id)
        key = own if own is not None and own.ciphertext else current
        if key is None or job.studii_id is None:
            return None
        try:
            secret = self._context.vault.unseal(key.ciphertext)
            report = await self._out_of_band.job_status(key, secret, job)
        except (CannotDecrypt, ApiRefused, MalformedAnswer):
            return None
        except StudiiError as error:
            raise NotNow(repr(error)) from None
        return report.output_url
