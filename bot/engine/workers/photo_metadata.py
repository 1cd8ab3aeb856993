"""Takes metadata out of a photo before it is used, unless its server wants to keep it."""

import asyncio
import logging
from pathlib import Path

from bot.aio.shield import shielded
from bot.db import Database
from bot.errors import PhotoDelayed
from bot.jobs.models import Job
from bot.media.metadata import BrokenStructure, strip_metadata
from bot.media.photo import PhotoRefused
from bot.reasons import Reason, ReasonCode
from bot.servers import settings as server_settings

_log = logging.getLogger(__name__)

_BROKEN, _NO_ROOM = Reason(ReasonCode.PHOTO_METADATA_BROKEN), Reason(ReasonCode.PHOTO_NO_ROOM)


async def remove_metadata(db: Database, job: Job, path: Path) -> None:
    """Remove the metadata of the job's photo in `path`, as its server's setting says.

    Raises `PhotoRefused` if the file is damaged, and `PhotoDelayed` if it can't be written.
    """
    settings = await db.read(server_settings.of, job.guild_id)
    if settings.keeps_metadata:
        return
    try:
        # Finished even if cancelled, so that no thread writes to the file later. Takes less than a second.
        await shielded(asyncio.to_thread(strip_metadata, path))
    except BrokenStructure as error:
        _log.info("Job %s: its photo is damaged: %s", job.id, error)
        raise PhotoRefused(_BROKEN) from None
    except OSError as error:
        _log.warning("Job %s: its photo can't be written: %s", job.id, error)
        raise PhotoDelayed(_NO_ROOM) from None
