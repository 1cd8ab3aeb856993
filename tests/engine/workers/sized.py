"""Jobs with photos of a given size."""

from dataclasses import replace

from bot.jobs.models import Job, SourcePhoto
from tests.engine.world import PHOTO_URL, a_staging_job

MB = 1_000_000


def photo_of(size: int, *, message_id: int | None = None, url: str = PHOTO_URL) -> SourcePhoto:
    return SourcePhoto(url, "room.png", "image/png", size, message_id=message_id, channel_id=200)


def with_photo(size: int, *, message_id: int | None = None, **options: object) -> Job:
    return replace(a_staging_job(**options), source=photo_of(size, message_id=message_id))
