"""Share the client and the stores among the parts of the delivery."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import discord

from bot.clock import Clock
from bot.delivery.interaction_tokens import CardTokens
from bot.domain.posting import PostingRules
from bot.languages import ReaderLanguages
from bot.ui.jobs.wording import ToolNames

Rules = Callable[[int], Awaitable[PostingRules]]  # of a server


class Fit(Protocol):
    """Makes a picture fit into `limit` bytes. `made`: it was made by AI, and the copy says so."""

    def __call__(self, path: Path, limit: int, *, made: bool = False) -> Awaitable[bytes | None]: ...


class Drawing(Protocol):
    """Makes copies of pictures to show beside them, of at most `limit` bytes, or returns None if it can't."""

    def label(self, path: Path, limit: int, words: str, corner: str) -> Awaitable[bytes | None]: ...
    def split(
        self, before: Path, after: Path, limit: int, labels: tuple[str, str]
    ) -> Awaitable[bytes | None]: ...


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """The client, the stores and the settings that the parts of the delivery work with."""

    client: discord.Client
    names: ToolNames
    clock: Clock
    tokens: CardTokens
    rules: Rules
    readers: ReaderLanguages
    fit: Fit
    drawing: Drawing
