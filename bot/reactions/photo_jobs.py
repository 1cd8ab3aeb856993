"""Ask for jobs on photos in messages, within the same limits as other jobs, and say why none started."""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import discord

from bot.catalog import Catalog, Tool
from bot.errors import CreditsShort, CreditsWanted, Outage, StudiiBotError
from bot.features import posting, styles
from bot.features.photo_rules import Emoji, Preset
from bot.features.styles import tool_of
from bot.jobs import confirm
from bot.jobs.confirm import ConfirmationNeeded, Repeated
from bot.jobs.models import JobRequest, MemberContext, SourcePhoto
from bot.languages import Language, ReaderLanguages, gettext as _, lazy, speaking
from bot.servers import notices
from bot.services import Services
from bot.ui.kit.answers import refusal_words
from bot.ui.reading.permissions import (
    channel_in,
    hindrance,
    is_age_restricted,
    member_context_in,
    missing_to_offer,
    missing_to_post,
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


def cannot_post_words(guild: discord.Guild, channel_id: int) -> str:
    """Return why no result can be posted there."""
    channel = channel_in(guild, channel_id)
    missing = [] if channel is None else missing_to_post(channel.permissions_for(guild.me), channel)
    there = f"<#{channel_id}>"
    if not missing:
        return _(
            "I couldn't post a result in {channel}: I can't see that channel. Nothing was charged.",
            channel=there,
        )
    return _(
        "I couldn't post a result in {channel}: {why}. Nothing was charged.",
        channel=there,
        why=hindrance(missing),
    )


def can_post(guild: discord.Guild, channel_id: int, *, offer: bool = False) -> bool:
    """Return whether a result can be posted there, and with `offer`, emoji added to photos."""
    channel = channel_in(guild, channel_id)
    if channel is None:
        return False
    may = channel.permissions_for(guild.me)
    return not (missing_to_post(may, channel) or (offer and missing_to_offer(may)))


Cleared = discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent  # of all emoji, or of one
WRITTEN_BY_PEOPLE = frozenset({discord.MessageType.default, discord.MessageType.reply})


def emoji_of(emoji: discord.PartialEmoji | discord.Emoji | str) -> Emoji:
    """Return the emoji as a value of the domain."""
    if isinstance(emoji, str):
        return Emoji(emoji)
    return Emoji(emoji.name or "", emoji.id or 0, emoji.animated)


def ids_of_place(channel: Any | None, channel_id: int) -> tuple[int, ...]:
    """Return the ids that rules may use for the place: its own, and a thread's parent channel."""
    if isinstance(channel, discord.Thread):
        return (channel_id, channel.parent_id)
    return (channel_id,)


def by_a_person(message: discord.Message) -> bool:
    """Return whether a member wrote the message, and no bot, webhook or Discord itself."""
    author = message.author
    return not author.bot and message.webhook_id is None and message.type in WRITTEN_BY_PEOPLE


def once_key(user_id: int, message_id: int, tool: str, inputs: Mapping[str, str], photo: SourcePhoto) -> str:
    """Return the `once` key of a member, a tool with inputs, and a photo in a message.

    It ignores the photo's position and signature, which change with edits and requests.
    """
    preset, path = _short(json.dumps(inputs, sort_keys=True)), _short(urlsplit(photo.url).path)
    return f"{user_id}:{message_id}:{tool}:{preset}:{path}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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
        await self._services.db.write(notices.tell_refusal, *about)

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
        channel = channel_in(member.guild, message.channel.id)
        request = JobRequest(
            guild_id=member.guild.id,
            channel_id=message.channel.id,
            user_id=member.id,
            tool=tool.slug,
            inputs=inputs,
            context=MemberContext() if channel is None else member_context_in(member, channel),
            photo_author=author,
            origin_message_id=message.id,
            tapped=tapped,
            own=own,
            age_restricted=is_age_restricted(message.channel),
            post_channel_id=place.channel_id,
            in_thread=place.in_thread,
        )
        once = partial(once_key, member.id, message.id, tool.slug, inputs)
        requests = [replace(request, source=photo, once=once(photo)) for photo in photos]
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
