"""Thousands of reactions that are none of ours, through the real handler: what each costs."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, event

from bot.model import Plan
from bot.photo_rules import PhotoChannelKind
from sandbox.stage import Stage, open_stage
from sandbox.studii import StudiiServer

OF_NO_TOOL = "🎉"
OF_A_TOOL = "🛋️"


@dataclass(frozen=True)
class Reactions:
    """What the events cost together."""

    number: int
    seconds: float
    requests: int  # to Discord
    queries: int


async def unrelated(folder: Path, number: int = 5000) -> Reactions:
    """Half are emoji of no tool where reactions are on, half a tool's emoji where nothing is on.

    The engine is stopped first, so that every query that is counted is the events' own.
    """
    async with StudiiServer() as studii, open_stage(studii, folder) as stage:
        world, photos = stage.world, stage.app.services.photos
        key = studii.add_key("team", balance=1000)
        await stage.app.services.keys.set_key(world.guild.id, key.secret, Plan.TEAM, 1000)
        await photos.turn_reactions(world.guild.id, world.channel.id, on=True)
        await photos.set_channel(world.guild.id, world.channel.id, PhotoChannelKind.OFFER, None, 1)
        elsewhere = world.guild.create_text_channel("elsewhere")
        await world.env.settle()
        stage.engine.cancel()
        await asyncio.wait({stage.engine})
        queries: list[str] = []

        def count(*given: Any) -> None:
            queries.append(str(given[2]))

        places = ((world.channel.id, OF_NO_TOOL), (elsewhere.id, OF_A_TOOL))
        events = [_event(stage, *places[one % 2], one) for one in range(number)]
        event.listen(Engine, "before_cursor_execute", count)
        requests, began = len(world.env.http_requests), perf_counter()
        for one in events:
            world.env.backend.emit("MESSAGE_REACTION_ADD", one)
        await world.env.settle(timeout=60)
        seconds = perf_counter() - began
        event.remove(Engine, "before_cursor_execute", count)
        return Reactions(number, seconds, len(world.env.http_requests) - requests, len(queries))


def _event(stage: Stage, channel_id: int, emoji: str, number: int) -> dict[str, Any]:
    world = stage.world
    user = {"id": str(world.tom.id), "username": "tom", "discriminator": "0", "avatar": None}
    return {
        "user_id": str(world.tom.id),
        "channel_id": str(channel_id),
        "message_id": str(world.channel.id + 1 + number),
        "guild_id": str(world.guild.id),
        "emoji": {"id": None, "name": emoji},
        "type": 0,
        "burst": False,
        "member": {
            "user": user,
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        },
    }
