"""Measure the real handler with thousands of reactions that don't concern the bot."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, event

from bot.domain import Plan
from bot.domain.photo_rules import PhotoChannelKind
from sandbox.photos import empty_room
from sandbox.stage import Stage, open_stage
from sandbox.studii import StudiiServer

OF_NO_TOOL = "🎉"
OF_A_TOOL = "🛋️"
PHOTO = "room.jpg"


@dataclass
class Reactions:
    """The cost of all events together."""

    number: int
    seconds: float = 0.0
    requests: int = 0  # to Discord
    queries: int = 0


async def unrelated(folder: Path, number: int = 5000) -> Reactions:
    """Send reactions that don't count.

    Half are emoji of no tool where reactions are on, half a tool's emoji where nothing is on. Raises
    RuntimeError if one that does count is not seen by the same counters: they would prove nothing.
    """
    async with _watched(folder) as stage:
        here, elsewhere = stage.world.channel, stage.world.guild.create_text_channel("elsewhere")
        await stage.world.env.settle()
        places = ((here.id, OF_NO_TOOL), (elsewhere.id, OF_A_TOOL))
        events = [_event(stage, *places[one % 2], here.id + 1 + one) for one in range(number)]
        cost = await _cost(stage, events)
        photo = here.history()[-1]
        counts = await _cost(stage, [_event(stage, here.id, OF_A_TOOL, photo.id)])
        if not (counts.requests and counts.queries):
            raise RuntimeError(f"a reaction that counts cost nothing that was counted: {counts}")
        return cost


@asynccontextmanager
async def _watched(folder: Path) -> AsyncGenerator[Stage]:
    """Make a channel with a photo, where reactions are on and tools are offered.

    The engine is stopped, so that every query that is counted is the events' own.
    """
    photos = {PHOTO: empty_room((320, 240))}
    async with StudiiServer() as studii, open_stage(studii, folder, photos) as stage:
        world, services = stage.world, stage.app.services
        key = studii.add_key("team", balance=1000)
        await services.keys.set_key(world.guild.id, key.secret, Plan.TEAM, 1000)
        await services.photos.turn_reactions(world.guild.id, world.channel.id, on=True)
        await services.photos.set_channel(world.guild.id, world.channel.id, PhotoChannelKind.OFFER, None, 1)
        stage.engine.cancel()
        await asyncio.wait({stage.engine})
        yield stage


async def _cost(stage: Stage, events: list[dict[str, Any]]) -> Reactions:
    env = stage.world.env
    cost = Reactions(len(events))
    requests, began = len(env.http_requests), perf_counter()
    with _queries(cost):
        for one in events:
            env.backend.emit("MESSAGE_REACTION_ADD", one)
        await env.settle(timeout=60)
    cost.seconds = perf_counter() - began
    cost.requests = len(env.http_requests) - requests
    return cost


@contextmanager
def _queries(cost: Reactions) -> Generator[None]:
    def count(*_: Any) -> None:
        cost.queries += 1

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def _event(stage: Stage, channel_id: int, emoji: str, message_id: int) -> dict[str, Any]:
    world = stage.world
    user = {"id": str(world.tom.id), "username": "tom", "discriminator": "0", "avatar": None}
    return {
        "user_id": str(world.tom.id),
        "channel_id": str(channel_id),
        "message_id": str(message_id),
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
