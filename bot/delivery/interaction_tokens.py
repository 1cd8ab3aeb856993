"""The means to edit a command's answer for the quarter of an hour that Discord allows it."""

import asyncio
from dataclasses import dataclass, field

import discord

from bot.aio.bounded import BoundedDict
from bot.clock import Clock
from bot.jobs.models import Job

# https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
LIFETIME = 15 * 60.0  # seconds
EXPIRY_MARGIN_SECONDS = 60.0
MAX_KEPT_TOKENS = 5000


@dataclass(slots=True)
class CardToken:
    """An interaction's answer. `spoken`: it shows the job's last word, and is a card no more."""

    webhook: discord.Webhook
    until: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # a late edit must not undo a newer one
    spoken: bool = False


class CardTokens:
    """Interaction tokens by job or set, in memory alone: they can act in the bot's name, and soon expire."""

    def __init__(self, clock: Clock, *, bound: int = MAX_KEPT_TOKENS) -> None:
        self._clock = clock
        self._kept = BoundedDict[str, CardToken](bound)

    def remember(self, card: str, interaction: discord.Interaction) -> None:
        """Note that this interaction's answer is the card of the job or the set with that id."""
        until = self._clock.monotonic() + LIFETIME - EXPIRY_MARGIN_SECONDS
        self._kept[card] = CardToken(interaction.followup, until)
        while self._oldest_expired():
            del self._kept[next(iter(self._kept))]

    def get(self, job: Job) -> CardToken | None:
        """Return what can edit the job's card now. None if the token has expired."""
        kept = self._kept.get(_card_of(job))
        if kept is None:
            return None
        if self._clock.monotonic() < kept.until:
            return kept
        self.forget(job)
        return None

    def forget(self, job: Job) -> None:
        """Forget the token, which is of no use any more."""
        self._kept.pop(_card_of(job), None)

    def _oldest_expired(self) -> bool:
        oldest = next(iter(self._kept.values()), None)
        return oldest is not None and oldest.until <= self._clock.monotonic()


def _card_of(job: Job) -> str:
    """Return the id under which the job's card is kept; one that is shown again has a card of its own."""
    return job.id if job.set_id is None or job.posting > 0 else job.set_id
