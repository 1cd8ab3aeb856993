"""Share the client and the stores among the parts of the delivery."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import discord

from bot.clock import Clock
from bot.features.posting import PostingRules
from bot.jobs.models import Job
from bot.languages import ReaderLanguages
from bot.media.photo import Drawing
from bot.ui.jobs.wording import ToolNames


class ReplacedAnswers(Protocol):
    """Interactions' answers, in whose place a result can be shown."""

    def replaced(self, job: Job) -> AbstractAsyncContextManager[discord.Webhook | None]:
        """Yield what edits the answer that shows the job's progress, or None if Discord allows no edit."""
        ...


Rules = Callable[[int], Awaitable[PostingRules]]  # of a server


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """The client, the stores and the settings that the parts of the delivery work with."""

    client: discord.Client
    names: ToolNames
    clock: Clock
    answers: ReplacedAnswers
    rules: Rules
    readers: ReaderLanguages
    drawing: Drawing
