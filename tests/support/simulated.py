"""The simulated Discord around the bot, and the delivery through it without what a test needs none of."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import discord
import simcord
import simcord.http.client as simulated
from discord import app_commands

from bot.catalog import Catalog
from bot.delivery import DeliveryContext, DiscordDelivery
from bot.delivery.messages import Rules
from bot.errors import StudiiBotError
from bot.jobs.models import Job, Progress
from bot.languages import Language, ReaderLanguages
from bot.media.photo import Drawing
from bot.servers.settings import GuildSettings
from bot.ui.kit.answers import AnswerKeeper, expired
from bot.ui.kit.layout import Panel

_path_of = simulated.__dict__["_path_of"]


@asynccontextmanager
async def simulated_discord(
    bot: discord.Client, *, settle_timeout: float, check_errors: bool = True
) -> AsyncGenerator[simcord.Env]:
    """Run the bot in a simulated Discord, which lets each step settle for at most `settle_timeout` seconds.

    Raises at the end what commands, forms and listeners raised, except refusals, which are for people, and
    answers that came too late. With `check_errors=False` it raises nothing.
    """
    simulated.__dict__["_path_of"] = _unquoted  # discord.py quotes the "@" of "@original"
    async with simcord.run(
        bot, shard_count=1, check_errors=check_errors, settle_timeout=settle_timeout
    ) as env:
        _tell_authors(env)
        yield env
        unforeseen = [error for error in env.errors if not _is_told(error)]
        if check_errors and unforeseen:
            raise BaseExceptionGroup("the bot did not foresee these errors", unforeseen)


def _unquoted(url: str) -> str:
    return unquote(_path_of(url))


def _is_told(error: BaseException) -> bool:
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    late = isinstance(cause, discord.HTTPException) and expired(cause)
    return late or isinstance(cause, StudiiBotError)


def _tell_authors(env: simcord.Env) -> None:
    """Let events of added reactions name the author of the message, as Discord's do."""
    emit = env.backend.emit

    def emit_with_author(event: str, payload: Mapping[str, Any]) -> None:
        if event == "MESSAGE_REACTION_ADD" and "message_author_id" not in payload:
            message = env.backend.messages.get(int(payload["channel_id"]), {}).get(int(payload["message_id"]))
            if message is not None:
                payload = {**payload, "message_author_id": str(message.author_id)}
        emit(event, payload)

    env.backend.emit = emit_with_author


class NoAnswers:
    """Keeps no answer, and edits none."""

    async def defer(self, interaction: discord.Interaction) -> None: ...

    async def answered(self, interaction: discord.Interaction) -> None: ...

    def give_up(self, interaction: discord.Interaction) -> None: ...

    async def show(
        self, interaction: discord.Interaction, subject: str, panel: Panel | None = None
    ) -> None: ...

    def look_again(self) -> None: ...

    async def run(self) -> None: ...

    async def replace(self, job: Job, **content: Any) -> discord.WebhookMessage | None: ...


async def no_progress(_job_id: str) -> Progress:
    """Return that no lane knows anything of the job."""
    return Progress()


class EnglishReaders:
    """Says that every person reads English."""

    def __init__(self) -> None:
        self.heard: dict[int, Language] = {}

    def forget(self, _user_id: int) -> None:
        pass

    async def in_server(self, _guild_id: int) -> Language:
        return Language.ENGLISH

    async def of_person(self, _user_id: int, _guild_id: int) -> Language:
        return Language.ENGLISH


class NoDrawing:
    """Draws nothing, and makes no picture smaller."""

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None: ...

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None: ...

    async def split(
        self, before: Path, after: Path, limit: int, labels: tuple[str, str], *, moves: bool = False
    ) -> bytes | None: ...


async def usual_rules(_guild_id: int) -> GuildSettings:
    """Return the rules of a server that has set nothing."""
    return GuildSettings(0)


def context_on(
    client: discord.Client,
    catalog: Catalog,
    drawing: Drawing | None = None,
    rules: Rules = usual_rules,
    readers: ReaderLanguages | None = None,
    answers: AnswerKeeper | None = None,
) -> DeliveryContext:
    """Return what the delivery through the client works with, without what isn't given."""
    readers = readers or EnglishReaders()
    drawing, answers = drawing or NoDrawing(), answers or NoAnswers()
    return DeliveryContext(client, catalog, answers, rules, readers, drawing)


def delivery_on(*given: Any, **named: Any) -> DiscordDelivery:
    """Return the delivery with what `context_on` makes of that."""
    return DiscordDelivery(context_on(*given, **named))
