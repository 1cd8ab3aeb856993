"""Ask for jobs on photos in messages, within the same limits as other jobs, and say why none started."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

import discord

from bot.catalog import Catalog, Tool
from bot.errors import CreditsShort, CreditsWanted, Outage, StudiiBotError
from bot.features import posting, refusals, styles
from bot.features.photo_rules import Preset
from bot.features.styles import tool_of
from bot.jobs import confirm
from bot.jobs.confirm import ConfirmationNeeded, Repeated
from bot.jobs.models import JobRequest, MemberContext, SourcePhoto
from bot.languages import Language, ReaderLanguages, lazy, speaking
from bot.reactions.events import once_key
from bot.services import Services
from bot.ui.kit.answers import refusal_words
from bot.ui.reading.permissions import (
    PostingPlace,
    channel_in,
    is_age_restricted,
    member_context_in,
    posting_place,
    roles_of,
)
from bot.ui.reading.photo_lookup import author_in

_log = logging.getLogger(__name__)

OFFER_SKIPPED = lazy(
    "Too many photos were posted at the same time, so yours has no emoji to tap. "
    "To run a tool on it, open the menu of your message and choose Apps."
)


NextStep = Callable[[], Awaitable[None]]


class PhotoJobs:
    """Asks for jobs, and tells people why none started."""

    def __init__(
        self,
        client: discord.Client,
        services: Services,
        catalog: Catalog,
        readers: ReaderLanguages,
    ) -> None:
        self._client = client
        self._services = services
        self._catalog = catalog
        self._readers = readers

    async def tell(
        self,
        member: discord.Member,
        reason: Callable[[], str],
        message: discord.Message | None = None,
        wanted: CreditsWanted | None = None,
    ) -> None:
        """Let the member know by DM why no job was started, in their language, in which `reason` is called.

        The same reason is sent at most once an hour. `wanted`: the credits that an admin can be asked for.

        If their DMs are closed, a short reply to `message` says that nothing was started, but not why:
        everybody reads it. Raises `Outage`.
        """
        with speaking(Language.ENGLISH):
            english = reason()
        with speaking(await self._readers.of_person(member.id, member.guild.id)):
            words = reason()
        under = None if message is None else (message.channel.id, message.id)
        about = member.guild.id, member.id, english, words, self._services.clock.now(), under, wanted
        await self._services.db.write(refusals.tell, *about)

    async def prepare(
        self,
        member: discord.Member,
        message: discord.Message,
        preset: Preset,
        photos: Sequence[SourcePhoto],
        tapped: str | None = None,
    ) -> NextStep:
        """Read what a job for each photo needs. Return what asks for the jobs, as a set if all can be taken
        together; or what tells the person why there are none.

        `tapped` is the emoji that was tapped, if one was.
        """
        refused = partial(self._refused, member, message)
        try:
            author = await author_in(message, self._client, self._services)
            rules = await self._services.db.read(posting.of, member.guild.id)
            tool, inputs, own = await self._prepared(member, preset, tapped=tapped is not None)
            place = posting_place(member.guild, message.channel, member, rules)
        except Outage:
            raise  # it is read again when it is over
        except StudiiBotError as refusal:
            await refused(refusal)
            return no_jobs
        requests = [
            replace(_request(member, message, tool, inputs, photo, author, place), tapped=tapped, own=own)
            for photo in photos
        ]
        return partial(self._accept, requests, refused)

    async def _accept(
        self,
        requests: Sequence[JobRequest],
        refused: Callable[[StudiiBotError], Awaitable[None]],
    ) -> None:
        """Accept all as a set. If there is no room for all, or some exist already, accept each alone."""
        try:
            answers = await self._services.acceptance.accept_apart(requests)
        except Outage:
            raise  # asked for again when it is over; what was accepted is not accepted twice
        except StudiiBotError as refusal:
            answers = [refusal]
        for answer in answers:
            # The job or the question that there is already answers one that is repeated.
            if not isinstance(answer, list | Repeated):
                await refused(answer)

    async def _refused(
        self, member: discord.Member, message: discord.Message, refusal: StudiiBotError
    ) -> None:
        """Ask the person under the photo, or tell them why there is no job."""
        if isinstance(refusal, ConfirmationNeeded):
            now = self._services.clock.now()
            unasked = await self._services.db.write(confirm.ask_under_photo, refusal, now)
            if unasked is None:
                return
            refusal = unasked
        _log.info("A photo was not accepted for user %d: %s", member.id, type(refusal).__name__)
        wanted = refusal.wanted if isinstance(refusal, CreditsShort) else None
        await self.tell(member, partial(refusal_words, refusal), message, wanted)

    async def _prepared(
        self, member: discord.Member, preset: Preset, *, tapped: bool
    ) -> tuple[Tool, dict[str, str], dict[str, str]]:
        """Return the tool, the inputs to send, and those of them that the member prefers.

        What an emoji is mapped to is what the member asks for by tapping it; in a photo channel what they
        prefer goes before what the channel is set to. Raises `Refused` if the tool needs more by now, or if
        the emoji's style is gone, no longer fits, or isn't for the member.
        """
        services, guild_id = self._services, member.guild.id
        if preset.style_id is not None:
            roles = roles_of(member)
            style = await services.db.read(styles.get, preset.style_id, guild_id, member.id, roles)
            tool_of(self._catalog, style)
        tool = self._catalog.get(preset.tool)
        own = await services.db.read(styles.default_inputs, guild_id, member.id, tool)
        inputs = {**own, **preset.inputs} if tapped else {**preset.inputs, **own}
        preferred = {name: value for name, value in own.items() if not tapped or name not in preset.inputs}
        return tool, tool.prepare(inputs, has_source=True), preferred


async def no_jobs() -> None:
    """Start nothing."""


def _request(
    member: discord.Member,
    message: discord.Message,
    tool: Tool,
    inputs: dict[str, str],
    photo: SourcePhoto,
    author: int,
    place: PostingPlace,
) -> JobRequest:
    channel = channel_in(member.guild, message.channel.id)
    return JobRequest(
        guild_id=member.guild.id,
        channel_id=message.channel.id,
        user_id=member.id,
        tool=tool.slug,
        inputs=inputs,
        source=photo,
        context=MemberContext() if channel is None else member_context_in(member, channel),
        photo_author=author,
        origin_message_id=message.id,
        once=once_key(member.id, message.id, tool.slug, inputs, photo),
        age_restricted=is_age_restricted(message.channel),
        post_channel_id=place.channel_id,
        in_thread=place.in_thread,
    )
