"""Measure the real handlers with thousands of reactions, stars and mentions that don't concern the bot."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, event

from bot.features import photo_rules
from bot.features.photo_rules import PhotoChannelKind
from bot.jobs.best_results import STAR
from bot.servers import settings
from sandbox.photos import empty_room
from tests.support.desk import Desk, open_desk

OF_NO_TOOL = "🎉"
OF_A_TOOL = "🛋️"
PHOTO = "room.jpg"
ADDED, REMOVED = "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE"

Event = tuple[str, dict[str, Any]]


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
    async with _watched(folder) as desk:
        here, elsewhere = desk.channel, desk.guild.create_text_channel("elsewhere")
        await desk.env.settle()
        places = ((here.id, OF_NO_TOOL), (elsewhere.id, OF_A_TOOL))
        events = [(ADDED, _event(desk, *places[one % 2], here.id + 1 + one)) for one in range(number)]
        cost = await _cost(desk, events)
        photo = here.history()[-1]
        counts = await _cost(desk, [(ADDED, _event(desk, here.id, OF_A_TOOL, photo.id))])
        if not (counts.requests and counts.queries):
            raise RuntimeError(f"a reaction that counts cost nothing that was counted: {counts}")
        return cost


async def stars_and_mentions(folder: Path, number: int = 5000) -> Reactions:
    """Send stars and mentions that are nobody's business, where the best results are shown.

    A quarter each: stars under members' messages, their removal, messages that mention someone else, and
    bots that mention the bot. Raises RuntimeError as `unrelated` does.
    """
    async with _watched(folder) as desk:
        guild, here, own = desk.guild, desk.channel, desk.env.backend.bot_user.id
        await desk.resources.db.write(settings.change, guild.id, best_channel_id=here.id)
        await desk.env.settle()

        def star(event: str, message_id: int, author: int) -> Event:
            return event, _event(desk, here.id, STAR, message_id) | {"message_author_id": str(author)}

        def said(message_id: int, mentioned: int, *, bot: bool = False) -> Event:
            return "MESSAGE_CREATE", _message(desk, message_id, mentioned, bot=bot)

        tom, first = desk.tom.id, here.id + 1
        kinds: tuple[Callable[[int], Event], ...] = (
            lambda one: star(ADDED, one, tom),
            lambda one: star(REMOVED, one, tom),
            lambda one: said(one, tom),
            lambda one: said(one, own, bot=True),
        )
        cost = await _cost(desk, [kinds[one % 4](first + one) for one in range(number)])
        starred = await _cost(desk, [star(ADDED, here.history()[-1].id, own)])
        mentioned = await _cost(desk, [said(first + number, own)])
        if not (starred.queries and mentioned.requests):
            raise RuntimeError(f"what counts cost nothing that was counted: {starred}, {mentioned}")
        return cost


@asynccontextmanager
async def _watched(folder: Path) -> AsyncGenerator[Desk]:
    """Make a channel with a photo, where reactions are on and tools are offered.

    No engine runs, so that every query that is counted is the events' own.
    """
    async with open_desk(folder, key=True) as desk:
        await desk.maya.send(desk.channel, PHOTO, attachments=[(PHOTO, empty_room((320, 240)))])
        here = desk.guild.id, desk.channel.id
        await desk.db.write(photo_rules.turn_reactions, *here, on=True)
        await desk.db.write(photo_rules.set_channel, *here, PhotoChannelKind.OFFER)
        await desk.resources.photo_rules.reread(desk.guild.id)
        yield desk


async def _cost(desk: Desk, events: list[Event]) -> Reactions:
    env = desk.env
    cost = Reactions(len(events))
    requests, began = len(env.http_requests), perf_counter()
    with _queries(cost):
        for name, one in events:
            env.backend.emit(name, one)
        await env.settle(timeout=300)
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


def _message(desk: Desk, message_id: int, mentioned: int, *, bot: bool) -> dict[str, Any]:
    author = _user(desk.tom.id) | {"bot": bot}
    empty = ("attachments", "embeds", "components", "mention_roles")
    return {name: list[Any]() for name in empty} | {
        "id": str(message_id),
        "channel_id": str(desk.channel.id),
        "guild_id": str(desk.guild.id),
        "author": author,
        "member": _member(),
        "content": f"<@{mentioned}> Look",
        "mentions": [_user(mentioned) | {"member": _member()}],
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "pinned": False,
        "type": 0,
        "flags": 0,
    }


def _user(user_id: int) -> dict[str, Any]:
    return {"id": str(user_id), "username": "tom", "discriminator": "0", "avatar": None}


def _member() -> dict[str, Any]:
    return {
        "roles": [],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def _event(desk: Desk, channel_id: int, emoji: str, message_id: int) -> dict[str, Any]:
    return {
        "user_id": str(desk.tom.id),
        "channel_id": str(channel_id),
        "message_id": str(message_id),
        "guild_id": str(desk.guild.id),
        "emoji": {"id": None, "name": emoji},
        "type": 0,
        "burst": False,
        "member": _member() | {"user": _user(desk.tom.id)},
    }
