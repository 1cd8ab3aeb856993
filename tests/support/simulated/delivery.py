"""The delivery, and what it and the bot are given where a test needs none of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord

from bot.catalog import Catalog
from bot.delivery import DeliveryContext, DiscordDelivery
from bot.delivery.messages import Read, ReplacedAnswers, Rules
from bot.jobs.models import Job, Progress
from bot.languages import Language, ReaderLanguages
from bot.media.photo import Drawing
from bot.servers.settings import GuildSettings
from bot.ui.kit.answers import LateAnswer
from bot.ui.kit.layout import Panel


class NoAnswers:
    """Keeps no answer, and edits none."""

    async def defer(self, interaction: discord.Interaction, late: LateAnswer) -> None: ...

    async def answered(self, interaction: discord.Interaction) -> None: ...

    def give_up(self, interaction: discord.Interaction) -> None: ...

    async def show(
        self, interaction: discord.Interaction, subject: str, panel: Panel | None = None
    ) -> None: ...

    def look_again(self) -> None: ...

    async def run(self) -> None: ...

    @asynccontextmanager
    async def replaced(self, job: Job) -> AsyncGenerator[discord.Webhook | None]:
        yield None


async def no_progress(_job_id: str) -> Progress:
    """Return that no lane knows anything of the job."""
    return Progress()


class EnglishReaders:
    """Says that every person reads English."""

    def heard(self, _user_id: int, _language: Language) -> None:
        pass

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

    async def split(self, before: Path, after: Path, limit: int, labels: tuple[str, str]) -> bytes | None: ...


async def usual_rules(_guild_id: int) -> GuildSettings:
    """Return the rules of a server that has set nothing."""
    return GuildSettings(0)


def context_on(
    client: discord.Client,
    catalog: Catalog,
    drawing: Drawing | None = None,
    rules: Rules = usual_rules,
    readers: ReaderLanguages | None = None,
    answers: ReplacedAnswers | None = None,
    read: Read | None = None,
) -> DeliveryContext:
    """Return what the delivery through the client works with, without what isn't given."""
    readers = readers or EnglishReaders()
    drawing, answers = drawing or NoDrawing(), answers or NoAnswers()

    async def from_cdn(url: str, _: int) -> bytes:
        return await client.http.get_from_cdn(url)

    return DeliveryContext(client, catalog, answers, rules, readers, drawing, read or from_cdn)


def delivery_on(*given: Any, **named: Any) -> DiscordDelivery:
    """Return the delivery with what `context_on` makes of that."""
    return DiscordDelivery(context_on(*given, **named))
