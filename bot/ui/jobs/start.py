"""From what a person asked for to a job and its card."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp
import discord

from bot.catalog import Catalog, Tool
from bot.domain import Job, JobRequest, Progress, SourcePhoto
from bot.errors import Refused, StudiiBotError
from bot.services import JobService
from bot.ui.jobs.card import job_card
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.responses import ALREADY_ACKNOWLEDGED
from bot.ui.reading.age import is_age_restricted
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import ensure_can_post

log = logging.getLogger(__name__)

ANSWER_SECONDS = 30.0
_FAILURES = (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError)


class Cards(Protocol):
    """Keeps what edits a card while Discord lets its interaction do that."""

    def remember(self, job_id: str, interaction: discord.Interaction[Any]) -> None:
        """The job's card is this interaction's answer."""
        ...


def request_of(
    interaction: discord.Interaction[Any],
    tool: Tool,
    values: Mapping[str, str | None],
    source: SourcePhoto | None,
    *,
    photo_author: int | None = None,
    private: bool = False,
    extra: Mapping[str, str] | None = None,
) -> JobRequest:
    """What whoever sent the interaction asks for; `photo_author` is who posted the photo, if not they.

    `private`: it is shown to them alone. `extra` are inputs that the catalogue does not know.

    Raises `Refused` where the result could not be posted, or when the tool lacks something.
    """
    guild_id = ensure_can_post(interaction)
    if interaction.channel_id is None:
        raise Refused("This works in a channel only.")
    return JobRequest(
        guild_id=guild_id,
        channel_id=interaction.channel_id,
        user_id=interaction.user.id,
        tool=tool.slug,
        inputs={**tool.prepare(values, has_source=source is not None), **(extra or {})},
        source=source,
        private=private,
        context=member_context(interaction),
        photo_author=photo_author,
        age_restricted=is_age_restricted(interaction.channel),
    )


class JobStarter:
    """Turns an interaction into an accepted job, and answers with its card."""

    def __init__(self, jobs: JobService, catalog: Catalog, cards: Cards) -> None:
        self._jobs = jobs
        self._names = ToolNames(catalog)
        self._cards = cards

    async def start(
        self,
        interaction: discord.Interaction[Any],
        tool: Tool,
        values: Mapping[str, str | None],
        source: SourcePhoto | None,
        *,
        photo_author: int | None = None,
        private: bool = False,
        extra: Mapping[str, str] | None = None,
    ) -> Job:
        """Take the job; whoever sent the interaction pays for it. See `request_of` for the arguments.

        Raises `Refused` or `Busy` before anything is spent. From there on the job runs, whether or
        not its card can be shown.
        """
        request = request_of(
            interaction, tool, values, source, photo_author=photo_author, private=private, extra=extra
        )
        job = await self._jobs.accept(request)
        await self._show_card(interaction, job)
        return job

    async def ensure_possible(self, interaction: discord.Interaction[Any], tool: Tool) -> None:
        """Raises `Refused` if no job of the tool could be taken now from whoever sent the interaction."""
        if interaction.guild_id is not None:
            context = member_context(interaction)
            await self._jobs.ensure_possible(interaction.guild_id, interaction.user.id, context, tool)

    async def _show_card(self, interaction: discord.Interaction[Any], job: Job) -> None:
        card = job_card(job, self._names, Progress())
        try:
            shown = await interaction.response.send_message(
                view=card, ephemeral=job.private, allowed_mentions=discord.AllowedMentions.none()
            )
            message_id = shown.message_id
        except _FAILURES as error:
            log.info("Job %s: its card may not be shown: %s", job.id, error, extra={"job": job.id})
            message_id = await _shown_all_the_same(interaction) if _may_be_shown(error) else None
        if message_id is None:
            return
        self._cards.remember(job.id, interaction)
        try:
            await self._jobs.card_shown(job.id, message_id, job.version)
        except StudiiBotError as error:
            log.warning("Job %s: its card was not stored yet: %s", job.id, error, extra={"job": job.id})


def _may_be_shown(error: Exception) -> bool:
    """Whether Discord may have taken the answer that it seems to have refused.

    discord.py repeats an answer after a 5xx, and the second is refused because the first was taken.
    """
    if not isinstance(error, discord.HTTPException):
        return True
    return error.status >= 500 or error.code == ALREADY_ACKNOWLEDGED


async def _shown_all_the_same(interaction: discord.Interaction[Any]) -> int | None:
    """Return the id of the interaction's answer; None if there is none, or Discord does not say.

    In the second case the engine looks for the card in the channel.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return (await interaction.original_response()).id
    except (*_FAILURES, discord.ClientException) as error:
        log.info("Whether an answer was shown is not known: %r", error)
        return None
