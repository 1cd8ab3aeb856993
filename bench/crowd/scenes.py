"""Crowds: what many people do at the same moment, and how each is answered."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any

from bench.crowd.answers import Answer
from bench.crowd.waiting import until
from bench.crowd.worlds import MEMBERS, OFFERED, STAGING, CrowdWorlds
from sandbox.discord.emulator.interactions import Interaction
from sandbox.discord.emulator.messages import Message

PROMPT = "A red kite, number {number}"
RESULTS = 300  # that are posted beside a crowd of commands
OF_A_JOB = re.compile(r"[0-9a-f]{16}-[0-9]+")  # the nonce of a result
MADE_BY = 1000  # the number of the first member whose results the crowd does not wait for

Act = Callable[[float], Awaitable[Sequence[Answer]]]
# Prepares what that number of people will do at once, and returns a function that starts it.
Scene = Callable[[CrowdWorlds, int, float], Awaitable[Act]]


async def commands(worlds: CrowdWorlds, size: int, _patience: float) -> Act:
    """Let many members use a command at once."""

    async def act(patience: float) -> Sequence[Answer]:
        return await _answers(ask(worlds, size), patience)

    return act


async def beside_results(worlds: CrowdWorlds, size: int, patience: float) -> Act:
    """Let many members use a command at once while results are being posted."""
    ask(worlds, RESULTS, MADE_BY)
    before = worlds.posted()
    await until(lambda: worlds.posted() >= before + RESULTS // 10, patience)
    return await commands(worlds, size, patience)


async def buttons(worlds: CrowdWorlds, size: int, patience: float) -> Act:
    """Let many members press Again under results at once."""
    ask(worlds, size, MADE_BY)
    before = worlds.posted()
    await until(lambda: worlds.posted() >= before + size, patience)
    found = ((one, _again(one)) for one in worlds.discord.messages.values())
    shown = [(message, custom_id) for message, custom_id in found if custom_id is not None][:size]

    async def act(patience: float) -> Sequence[Answer]:
        begun = [
            worlds.discord.press(message, MEMBERS + number, custom_id)
            for number, (message, custom_id) in enumerate(shown)
        ]
        return await _answers([worlds.discord.send(one) for one in begun], patience)

    return act


async def photos(worlds: CrowdWorlds, size: int, _patience: float) -> Act:
    """Let many photos be posted in Auto channels at once."""

    async def act(patience: float) -> Sequence[Answer]:
        began = monotonic()
        return await _replies(worlds, _photos(worlds, size), began, patience)

    return act


async def taps(worlds: CrowdWorlds, size: int, _patience: float) -> Act:
    """Let many members tap a tool's emoji under photos at once."""
    posted = _photos(worlds, size)
    await asyncio.sleep(1)

    async def act(patience: float) -> Sequence[Answer]:
        began = monotonic()
        for number, message in enumerate(posted):
            worlds.discord.react(message, MEMBERS + number, OFFERED)
        return await _replies(worlds, posted, began, patience)

    return act


SCENES: Mapping[str, Scene] = {
    "commands": commands,
    "taps": taps,
    "buttons": buttons,
    "photos": photos,
    "commands-while-results": beside_results,
}


def _again(message: Message) -> str | None:
    return next((one for one in message.custom_ids() if ":again:" in one), None)


def ask(worlds: CrowdWorlds, size: int, first: int = 0, *, photo: bool = False) -> list[Interaction]:
    """Let `size` members use a command now, each in the server whose turn it is."""
    name = STAGING if photo else "studio"
    begun = [
        worlds.discord.command(
            worlds.server(number), MEMBERS + number, name, _options(worlds, number, photo=photo)
        )
        for number in range(first, first + size)
    ]
    return [worlds.discord.send(one) for one in begun]


def _options(worlds: CrowdWorlds, number: int, *, photo: bool) -> dict[str, Any]:
    if not photo:
        return {"prompt": PROMPT.format(number=number)}
    return {"image": worlds.discord.upload("room.png", worlds.photo, "image/png", worlds.server(number))}


def _photos(worlds: CrowdWorlds, size: int) -> list[Message]:
    file = {"room.png": (worlds.photo, "image/png")}
    return [worlds.discord.post(worlds.server(number), MEMBERS + number, "", file) for number in range(size)]


async def _answers(asked: Sequence[Interaction], patience: float) -> Sequence[Answer]:
    """Return how each was answered, at the latest after `patience` seconds."""
    await until(lambda: all(one.said_at is not None for one in asked), patience)
    return [answer_of(one) for one in asked]


def answer_of(interaction: Interaction) -> Answer:
    """Return what the interaction was answered with so far."""
    at, said = interaction.said_at, interaction.said or {}
    if at is None:
        return Answer(None, accepted=False, deferred=interaction.deferred)
    words = _words(said)
    accepted = ":cancel:" in str(said) or "Cancel" in words
    return Answer(at - interaction.told_at, accepted, words, interaction.deferred)


def _words(payload: Mapping[str, Any]) -> str:
    """Return everything that can be read in a payload."""
    own = str(payload.get("content") or "")
    parts = [own, *(_words(component) for component in payload.get("components") or ())]
    return " ".join(part for part in parts if part)


async def _replies(
    worlds: CrowdWorlds, photos_there: Sequence[Message], began: float, patience: float
) -> Sequence[Answer]:
    """Return what the bot first said about each photo, under it or to its member alone, and when.

    Each photo is of a member of its own.
    """
    by_photo = {one.id: number for number, one in enumerate(photos_there)}
    by_member = {one.author_id: number for number, one in enumerate(photos_there)}
    answers: dict[int, Answer] = {}
    looked_at: set[int] = set()

    def all_there() -> bool:
        for message in list(worlds.discord.messages.values()):
            if message.id in looked_at or not message.of_the_bot:
                continue
            looked_at.add(message.id)
            reference = message.payload.get("message_reference")
            photo = None if reference is None else by_photo.get(int(reference["message_id"]))
            number = by_member.get(message.channel.recipient or 0) if photo is None else photo
            if number is not None:
                answers.setdefault(number, answer_of_reply(message, monotonic() - began))
        return len(answers) == len(photos_there)

    await until(all_there, patience)
    nothing = Answer(None, accepted=False)
    return [answers.get(number, nothing) for number in range(len(photos_there))]


def answer_of_reply(message: Message, after: float) -> Answer:
    """Return what a message about a photo says. A question whether to start is no acceptance."""
    accepted = OF_A_JOB.fullmatch(str(message.nonce)) is not None
    return Answer(after, accepted, "" if accepted else message.words())
