"""Members who post photos and tap emoji under them."""

from typing import Any

import discord
from simcord import ChannelHandle, MemberActor

from bot.jobs import queries
from bot.jobs.models import Job, JobState
from tests.support.desk import PNG, Desk
from tests.support.settings import admin

ROOM = ("room.png", PNG)
STAGING, PORTRAIT = "🛋️", "💼"


async def jobs_of(desk: Desk) -> list[Job]:
    return await desk.db.read(queries.in_states, list(JobState))


async def post(
    desk: Desk, who: MemberActor, *files: tuple[str, bytes], channel: ChannelHandle | None = None
) -> discord.Message:
    place = channel or desk.channel
    await who.send(place, "Look", attachments=list(files))
    return place.history()[-1]


async def ready(desk: Desk) -> None:
    await admin(desk, "reactions on")


def taken_away(event: dict[str, Any]) -> dict[str, Any]:
    """What the gateway tells when that tap's emoji is taken away."""
    return {key: value for key, value in event.items() if key not in {"member", "message_author_id"}}


def reaction(desk: Desk, message: discord.Message, user_id: int) -> dict[str, Any]:
    """What the gateway tells when someone taps 🛋️."""
    return {
        "user_id": str(user_id),
        "channel_id": str(message.channel.id),
        "message_id": str(message.id),
        "guild_id": str(desk.guild.id),
        "message_author_id": str(message.author.id),
        "emoji": {"id": None, "name": STAGING},
        "type": 0,
        "burst": False,
        "member": {
            "user": {"id": str(user_id), "username": "tom", "discriminator": "0", "avatar": None},
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        },
    }
