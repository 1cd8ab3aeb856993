"""Share the client and the stores among the parts of the delivery."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord

from bot.clock import Clock
from bot.delivery.interaction_tokens import CardTokens
from bot.features.posting import PostingRules
from bot.languages import ReaderLanguages
from bot.media.photo import Drawing
from bot.ui.jobs.wording import ToolNames

Rules = Callable[[int], Awaitable[PostingRules]]  # of a server


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """The client, the stores and the settings that the parts of the delivery work with."""

    client: discord.Client
    names: ToolNames
    clock: Clock
    tokens: CardTokens
    rules: Rules
    readers: ReaderLanguages
    drawing: Drawing
