"""The delivery, and what it and the bot are given where a test needs none of it."""

from pathlib import Path
from typing import Any

import discord

from bot.catalog import Catalog
from bot.clock import Clock
from bot.delivery import CardTokens, DeliveryContext, DiscordDelivery
from bot.delivery.context import Rules
from bot.features.posting import PostingRules
from bot.languages import Language, ReaderLanguages
from bot.media.photo import Drawing
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.deferral import LateAnswer


class NoDeferrals:
    """Keeps nothing."""

    async def remember(
        self,
        interaction: discord.Interaction,
        *,
        private: bool,
        answer: LateAnswer,
        message_id: int | None = None,
    ) -> None: ...

    async def forget(self, interaction: discord.Interaction) -> None: ...

    def give_up(self, interaction: discord.Interaction) -> None: ...

    def look_again(self) -> None: ...


async def nothing_left() -> None:
    """Answer nothing: no earlier life has left anything unanswered."""


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


async def usual_rules(_guild_id: int) -> PostingRules:
    """Return the rules of a server that has set nothing."""
    return PostingRules()


def context_on(
    client: discord.Client,
    catalog: Catalog,
    clock: Clock,
    drawing: Drawing | None = None,
    rules: Rules = usual_rules,
    readers: ReaderLanguages | None = None,
) -> DeliveryContext:
    """Return what the delivery through the client works with, without what isn't given."""
    names, tokens, readers = ToolNames(catalog), CardTokens(clock), readers or EnglishReaders()
    return DeliveryContext(client, names, clock, tokens, rules, readers, drawing or NoDrawing())


def delivery_on(*given: Any, **named: Any) -> DiscordDelivery:
    """Return the delivery with what `context_on` makes of that."""
    return DiscordDelivery(context_on(*given, **named))
