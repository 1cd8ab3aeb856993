"""Start jobs for reactions and posted photos, take them back, and say why none started.

Other new messages and reactions take no request or query. A message that is deleted or edited, and a reaction
that is removed, take queries by the message's id.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

import discord

from bot.aio.tasks import InOrder, PlaceInOrder
from bot.catalog import Catalog, Tool
from bot.errors import CreditsShort, CreditsWanted, Refused, StudiiBotError
from bot.features import styles
from bot.features.photo_rules import MAX_OFFERED_EMOJI, WHOLE_SERVER, PhotoChannelKind, Preset
from bot.jobs import actions, confirm, queries
from bot.jobs.decide import why_closed
from bot.jobs.models import Job, JobRequest, MemberContext, SourcePhoto
from bot.languages import Message, ReaderLanguages, gettext as _, lazy, speaking
from bot.reactions.events import Backlog, Cleared, by_a_person, emoji_of
from bot.resources import Resources
from bot.servers import access, notices, privacy, settings
from bot.ui.kit.answers import DISCORD_ERRORS, NO_ACCESS, refusal_words
from bot.ui.reading.permissions import (
    channel_ids_of,
    channel_in,
    hindrance,
    is_age_restricted,
    member_context_in,
    missing_to_offer,
    missing_to_post,
    posting_place,
    roles_of,
)
from bot.ui.reading.pictures import author_in, author_of, photos_in, taken_of

_log = logging.getLogger(__name__)

NOT_READ = lazy("The photo that you tapped couldn't be read. Tap it again in a minute. Nothing was charged.")
OFFER_SKIPPED = lazy(
    "Too many photos were posted at the same time, so yours has no emoji to tap. "
    "To run a tool on it, open the menu of your message and choose Apps."
)
# Taps, and photos that a channel runs.
WAITING, WAITING_IN_ALL, AT_ONCE = 1000, 5000, 16
OF_A_SERVER_AT_ONCE = 4
# Photos to put emoji under. In one server one at a time: Discord takes one reaction in a quarter of a second,
# and discord.py waits.
OFFERS_WAITING, OFFERS_WAITING_IN_ALL, OFFERS_AT_ONCE = 500, 2000, 4
NextStep = Callable[[], Awaitable[None]]


def cannot_post(guild: discord.Guild, channel_id: int, *, offer: bool = False) -> str:
    """Return why no result can be posted there, or with `offer`, no emoji added to photos; else nothing."""
    channel, there = channel_in(guild, channel_id), f"<#{channel_id}>"
    if channel is None:
        return _(
            "I couldn't post a result in {channel}: I can't see that channel. Nothing was charged.",
            channel=there,
        )
    may = channel.permissions_for(guild.me)
    missing = missing_to_post(may, channel) or (missing_to_offer(may) if offer else [])
    if not missing:
        return ""
    return _(
        "I couldn't post a result in {channel}: {why}. Nothing was charged.",
        channel=there,
        why=hindrance(missing),
    )


def once_key(user_id: int, message_id: int, tool: str, inputs: Mapping[str, str], photo: SourcePhoto) -> str:
    """Return the `once` key of a member, a tool with inputs, and a photo in a message.

    It ignores the photo's position and signature, which change with edits and requests.
    """
    about = json.dumps([tool, inputs, urlsplit(photo.url).path], sort_keys=True)
    return f"{user_id}:{message_id}:{hashlib.sha256(about.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True, eq=False)
class _Photo:
    """A photo that was tapped with that emoji, or is in a `message` of a channel that runs a tool on it; and
    the place of its jobs in the server's order of arrival. `most`: the number of its photos that are used."""

    member: discord.Member
    channel_id: int
    message_id: int
    place: PlaceInOrder
    preset: Preset
    tapped: str | None = None
    message: discord.Message | None = None
    most: int = 1


@dataclass(frozen=True, slots=True)
class _TakenBack:
    """What was asked for under a message is not wanted any more.

    `user_id` has taken their own reaction away. Without them everyone's is gone, with that emoji or any.
    `deleted`: the photo is gone, and `left` are the paths of others that are still in the message.
    """

    guild_id: int
    message_id: int
    user_id: int | None = None
    emoji: str | None = None
    deleted: bool = False
    left: frozenset[str] | None = None

    def means(self, user_id: int, tapped: str | None) -> bool:
        """Return whether what the member asked for, by that emoji if by one, is meant."""
        of_them = self.user_id in {None, user_id} and self.emoji in {None, tapped}
        return self.deleted or (of_them and tapped is not None)

    def undoes(self, one: "_Photo | _TakenBack") -> bool:
        """Return whether that need not be begun any more."""
        if isinstance(one, _TakenBack) or self.left is not None:
            return False
        return one.message_id == self.message_id and self.means(one.member.id, one.tapped)


class PhotoWatch:
    """Turns reactions and photos into jobs, within the same limits as other jobs, and takes them back.

    What was started under a message is known by its jobs' rows, so later changes of an emoji's tool do not
    matter.
    When a photo is deleted, or taken out of its message, what others and the bot itself started from it is
    cancelled too; a result that can't be stopped is posted without the photo. Without the message content
    intent no one tells which photos an edited message has left, so that ends nothing.
    """

    def __init__(
        self,
        client: discord.Client,
        resources: Resources,
        catalog: Catalog,
        readers: ReaderLanguages,
        arrivals: InOrder,
    ) -> None:
        self._client, self._resources, self._catalog = client, resources, catalog
        self._readers, self._arrivals = readers, arrivals
        self.waiting = Backlog[_Photo | _TakenBack](
            "jobs from photos",
            self._do,
            bound=WAITING,
            bound_in_all=WAITING_IN_ALL,
            at_once=AT_ONCE,
            abreast=OF_A_SERVER_AT_ONCE,
            after=_comes_after,
        )
        self.offers = Backlog[discord.Message](
            "offering tools under photos",
            self._offer,
            bound=OFFERS_WAITING,
            bound_in_all=OFFERS_WAITING_IN_ALL,
            at_once=OFFERS_AT_ONCE,
        )

    async def tapped(self, event: discord.RawReactionActionEvent) -> None:
        """Handle an added reaction."""
        own, member = self._client.user, event.member
        if member is None or member.bot or own is None or event.message_author_id == own.id:
            return
        guild_id, emoji = member.guild.id, emoji_of(event.emoji).key
        tap = self._resources.photo_rules.tap(guild_id, emoji)
        if tap is None or not any(self._state_of(member.guild, event.channel_id)):
            return
        place = self._arrivals.arrive(guild_id)
        photo = _Photo(member, event.channel_id, event.message_id, place, tap.preset, emoji)
        await self._put(photo, confirm.TAP_SKIPPED)

    def taken_back(self, event: discord.RawReactionActionEvent) -> None:
        """Handle a removed reaction; the bot removes its own."""
        own = self._client.user
        if event.guild_id is not None and own is not None and event.user_id != own.id:
            emoji = emoji_of(event.emoji).key
            self._take_back(_TakenBack(event.guild_id, event.message_id, event.user_id, emoji))

    def cleared(self, event: Cleared) -> None:
        """Handle the removal of all reactions, or all of one emoji."""
        one = isinstance(event, discord.RawReactionClearEmojiEvent)
        emoji = emoji_of(event.emoji).key if one else None
        self._take_back(_TakenBack(event.guild_id or 0, event.message_id, emoji=emoji))

    def deleted(self, guild_id: int | None, message_id: int) -> None:
        """Handle a deleted message."""
        self._take_back(_TakenBack(guild_id or 0, message_id, deleted=True))

    def edited(self, message: discord.Message) -> None:
        """Handle an edited message, which may have lost a photo."""
        own = self._client.user is not None and message.author.id == self._client.user.id
        if message.guild is not None and not own:
            left = frozenset(urlsplit(photo.url).path for photo in photos_in(message))
            self._take_back(_TakenBack(message.guild.id, message.id, deleted=True, left=left))

    async def posted(self, message: discord.Message) -> None:
        """Handle a new message."""
        guild, author = message.guild, message.author
        if guild is None or not by_a_person(message) or not isinstance(author, discord.Member):
            return
        channels = self._resources.photo_rules.rules(guild.id).channels
        parent = getattr(message.channel, "parent_id", None)
        found = channels.get(message.channel.id) or channels.get(parent or 0)
        if found is None or not taken_of(photos_in(message)):
            return
        if found.preset is not None:
            there = message.channel.id, message.id, self._arrivals.arrive(guild.id)
            photo = _Photo(author, *there, found.preset, message=message, most=found.most)
            await self._put(photo, confirm.AUTO_SKIPPED)
        elif self.offers.put(guild.id, message) is None:
            await self._tell(author, OFFER_SKIPPED.__str__)

    async def _put(self, photo: _Photo, skipped: Message) -> None:
        if (task := self.waiting.put(photo.member.guild.id, photo)) is not None:
            task.add_done_callback(lambda _: photo.place.leave())
        else:
            photo.place.leave()
            await self._tell(photo.member, skipped.__str__)

    def _state_of(self, guild: discord.Guild, channel_id: int) -> tuple[bool, bool]:
        """Return whether reactions are on there, and whether the bot offers emoji there."""
        rules = self._resources.photo_rules.rules(guild.id)
        ids = channel_ids_of(guild.get_channel_or_thread(channel_id)) | {channel_id}
        on = any(one in rules.reaction_places for one in (WHOLE_SERVER, *ids))
        offers = any(
            one in rules.channels and rules.channels[one].kind is PhotoChannelKind.OFFER for one in ids
        )
        return on, offers

    async def _do(self, one: _Photo | _TakenBack) -> None:
        if isinstance(one, _TakenBack):
            await self._undo(one)
            return
        ask = await self._prepare(one)
        await one.place.turn()
        await ask()

    async def _prepare(self, photo: _Photo) -> NextStep:
        """Read the photo and what its job needs. Return what asks for the job, or tells why there is none."""
        member, guild = photo.member, photo.member.guild
        if cannot_post(guild, photo.channel_id):
            # Whether an offered emoji counts there is only known of the message, which may not be read.
            if photo.message is not None or self._state_of(guild, photo.channel_id)[0]:
                await self._tell(member, partial(cannot_post, guild, photo.channel_id))
            return no_jobs
        message = photo.message or await self._tapped_message(photo)
        if message is None:
            return no_jobs
        own = self._client.user is not None and message.author.id == self._client.user.id
        photos = () if own else taken_of(photos_in(message))[: photo.most]
        return await self._asked(member, message, photo.preset, photos, photo.tapped)

    async def _tapped_message(self, photo: _Photo) -> discord.Message | None:
        """Return the message, if the emoji counts under it."""
        guild = photo.member.guild
        channel = self._client.get_partial_messageable(photo.channel_id, guild_id=guild.id)
        try:
            async with asyncio.timeout(5.0):  # those who came later in the server wait for it
                message = await channel.fetch_message(photo.message_id)
        except DISCORD_ERRORS as error:
            _log.info("A message with a reaction could not be fetched: %r", error)
            if not isinstance(error, NO_ACCESS):
                await self._tell(photo.member, NOT_READ.__str__)
            return None
        on, offers = self._state_of(guild, photo.channel_id)
        ours = any(one.me and emoji_of(one.emoji).key == photo.tapped for one in message.reactions)
        return message if on or (offers and ours) else None

    async def _offer(self, message: discord.Message) -> None:
        if message.guild is None or cannot_post(message.guild, message.channel.id, offer=True):
            return  # tapping them would do nothing
        if why_closed(await self._resources.db.read(settings.of, message.guild.id)) is not None:
            return  # nor would it here
        rules = await self._resources.db.read(access.of, message.guild.id, self._resources.clock.now())
        channels = channel_ids_of(message.channel)
        taps = [
            tap
            for tap in self._resources.photo_rules.taps(message.guild.id)
            if access.open_in(rules, tap.preset.tool, channels)
        ]
        for tap in taps[:MAX_OFFERED_EMOJI]:
            try:
                await message.add_reaction(str(tap.emoji))
            except DISCORD_ERRORS as error:
                _log.info("A photo in channel %d got no emoji: %r", message.channel.id, error)
                # A custom one may be gone, or take a permission of its own; else the message is gone, or
                # nothing can be put there.
                if isinstance(error, NO_ACCESS) and not tap.emoji.id:
                    return

    def _take_back(self, gone: _TakenBack) -> None:
        # A job that is being started is finished before.
        self.waiting.put(gone.guild_id, gone, at_once=True, instead_of=gone.undoes)

    async def _undo(self, gone: _TakenBack) -> None:
        db, about = self._resources.db, (gone.guild_id, gone.message_id)
        if gone.left is None:
            asked = await db.read(confirm.under, *about)
            if meant := [one.id for one in asked if gone.means(one.user_id, one.request.tapped)]:
                await db.write(confirm.end, gone.guild_id, meant, self._resources.clock.now())
        for job in await db.read(queries.from_photo, *about):
            if gone.means(job.user_id, job.tapped) and (gone.left is None or not _stands(job, gone.left)):
                await self._cancel(job, gone)

    async def _cancel(self, job: Job, gone: _TakenBack) -> None:
        """Cancel the job. Its requester is notified unless it is their own doing."""
        own = gone.user_id is not None or (gone.deleted and author_of(job) == job.user_id)
        by, at = job.user_id if own else 0, self._resources.clock.now()
        which = (job.id, job.guild_id, by, at)
        try:
            actions.ensure_cancelled(
                await self._resources.db.write(actions.cancel, *which, moderates=not own)
            )
        except Refused:  # it is being made, or has been
            if gone.deleted:
                file = await self._resources.db.write(privacy.hide_photo, job.id)
                if file is not None:
                    await self._resources.discard(file)

    async def _tell(
        self,
        member: discord.Member,
        reason: Callable[[], str],
        message: discord.Message | None = None,
        wanted: CreditsWanted | None = None,
    ) -> None:
        """Let the member know by DM why no job was started, in their language, in which `reason` is called.

        The same reason is sent at most once an hour. `wanted`: the credits that an admin can be asked for.

        If their DMs are closed, a short reply to `message` says that nothing was started, but not why:
        everyone reads it. Raises `DatabaseFailed`.
        """
        with speaking(await self._readers.of_person(member.id, member.guild.id)):
            words = reason()
        under = None if message is None else (message.channel.id, message.id)
        about = member.guild.id, member.id, words, self._resources.clock.now(), under, wanted
        await self._resources.db.write(notices.tell_refusal, *about)

    async def _asked(
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
            author = await author_in(message, self._client, self._resources)
            rules = await self._resources.db.read(settings.of, member.guild.id)
            tool, inputs, own = await self._prepared(member, preset, tapped=tapped is not None)
            elsewhere, in_thread = posting_place(member.guild, message.channel, member, rules)
        except Refused as refusal:
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
            post_channel_id=elsewhere,
            in_thread=in_thread,
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
            answers = await self._resources.acceptance.accept_apart(requests)
        except Refused as refusal:
            answers = [refusal]
        for answer in answers:
            # The job or the question that there is already answers one that is repeated.
            if not isinstance(answer, list | confirm.Repeated):
                await refused(answer)

    async def _refused(
        self, member: discord.Member, message: discord.Message, refusal: StudiiBotError
    ) -> None:
        """Ask the person under the photo, or tell them why there is no job."""
        if isinstance(refusal, confirm.ConfirmationNeeded):
            now = self._resources.clock.now()
            unasked = await self._resources.db.write(confirm.ask_under_photo, refusal, now)
            if unasked is None:
                return
            refusal = unasked
        _log.info("A photo was not accepted for user %d: %s", member.id, type(refusal).__name__)
        wanted = refusal.wanted if isinstance(refusal, CreditsShort) else None
        await self._tell(member, partial(refusal_words, refusal), message, wanted)

    async def _prepared(
        self, member: discord.Member, preset: Preset, *, tapped: bool
    ) -> tuple[Tool, dict[str, str], dict[str, str]]:
        """Return the tool, the inputs to send, and those of them that the member prefers.

        What an emoji is mapped to is what the member asks for by tapping it; in a photo channel what they
        prefer goes before what the channel is set to. Raises `Refused` if the tool needs more by now, or if
        the emoji's style is gone, no longer fits, or isn't for the member.
        """
        resources, guild_id = self._resources, member.guild.id
        if preset.style_id is not None:
            roles = roles_of(member)
            style = await resources.db.read(styles.get, preset.style_id, guild_id, member.id, roles)
            styles.tool_of(self._catalog, style)
        tool = self._catalog.get(preset.tool)
        own = await resources.db.read(styles.default_inputs, guild_id, member.id, tool)
        inputs = {**own, **preset.inputs} if tapped else {**preset.inputs, **own}
        preferred = {name: value for name, value in own.items() if not tapped or name not in preset.inputs}
        return tool, tool.prepare(inputs, has_source=True), preferred


async def no_jobs() -> None:
    """Start nothing."""


def _comes_after(one: _Photo | _TakenBack, earlier: _Photo | _TakenBack) -> bool:
    """Return whether these are done in order: what a member does with a photo, and what happens to it."""
    members = {each.member.id if isinstance(each, _Photo) else each.user_id for each in (one, earlier)}
    return one.message_id == earlier.message_id and (len(members) == 1 or None in members)


def _stands(job: Job, left: frozenset[str]) -> bool:
    """Return whether the job's photo is still in its message.

    True for photos that are not attached, as Discord removes and restores previews.
    """
    if job.source is None:
        return False
    path = urlsplit(job.source.url).path
    return path in left or not path.startswith(f"/attachments/{job.source.channel_id}/")
