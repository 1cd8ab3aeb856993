"""Jobs to look at, as the database would give them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.model import Job, JobState, SourcePhoto

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PHOTO = SourcePhoto("https://cdn.discordapp.com/attachments/1/2/room.png", "room.png", "image/png", 1000)
STAGING = Job(
    id="00112233445566aa",
    guild_id=100,
    channel_id=200,
    user_id=300,
    tool="virtual-staging",
    inputs={"style": "modern", "room": "living"},
    variant="",
    source=PHOTO,
    private=False,
    state=JobState.RECEIVED,
    version=1,
    created_at=NOON,
    changed_at=NOON,
    estimate=8,
    reserved=8,
    settled=0,
)


def staging(**changes: Any) -> Job:
    """A virtual staging job that was just accepted, but for the changes."""
    return replace(STAGING, **changes)
