"""Start jobs for reactions and posted photos, and take them back.

Other new messages take no request or query; one that is deleted or edited takes queries by its id.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import discord

from bot.aio.tasks import BoundedDict, InOrder, PlaceInOrder
from bot.catalog import Catalog
from bot.errors import Refused
from bot.features.photo_rules import MAX_OFFERED_EMOJI, Emoji, PhotoChannel, PhotoChannelKind
from bot.jobs import actions, confirm, queries
from bot.jobs.accept import why_closed
from bot.jobs.confirm import AUTO_SKIPPED, TAP_SKIPPED
from bot.jobs.models import ACTIVE_STATES, Job, SourcePhoto
from bot.languages import ReaderLanguages, lazy
from bot.reactions.backlog import Backlog
from bot.reactions.photo_jobs import (
    OFFER_SKIPPED,
    Cleared,
    NextStep,
    PhotoJobs,
    by_a_person,
    can_post,
    cannot_post_words,
    emoji_of,
    ids_of_place,
    no_jobs,
)
from bot.servers import access, privacy
from bot.services import Services
from bot.ui.kit.answers import DISCORD_ERRORS, NO_ACCESS
from bot.ui.reading.permissions import channel_ids_of
from bot.ui.reading.photo_lookup import author_of
from bot.ui.reading.pictures import photos_in, taken_of

_log = logging.getLogger(__name__)

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_EMOJI = 10014
NOT_READ = lazy("The photo that you tapped couldn't be read. Tap it again in a minute. Nothing was charged.")
FETCHED_WITHIN = 5.0  # seconds for the message of a tap: those who came later in the server wait for it
# Taps, and photos that a channel runs.
WAITING, WAITING_IN_ALL, AT_ONCE = 1000, 5000, 16
OF_A_SERVER_AT_ONCE = 4
# Photos to put emoji under. In one server one at a time: Discord takes one reaction in a quarter of a second,
# and discord.py waits.
OFFERS_WAITING, OFFERS_WAITING_IN_ALL, OFFERS_AT_ONCE = 500, 2000, 4
MAX_REMEMBERED_TAPPED = 20_000  # messages: those that were tapped last
SOMEBODY_ELSE = 0  # who cancels, if it is not the member whose job it is


@dataclass(frozen=True, slots=True, eq=False)
class _Photo:
    """A photo that was tapped with that emoji, or posted in a channel that runs a tool on it; and the place
    of its jobs in the server's order of arrival."""

    member: discord.Member
    channel_id: int
    message_id: int
    place: PlaceInOrder
    emoji: Emoji | None = None
    posted: tuple[discord.Message, PhotoChannel] | None = None


@dataclass(frozen=True, slots=True)
class _TakenBack:
    """What was asked for under a message is not wanted any more.

    `user_id` has taken their own reaction away. Without them everybody's is gone, with that emoji or any.
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


class PhotoWatch:
    """Turns reactions and photos into jobs, within the same limits as other jobs, and takes them back.

    What was started under a message is known by its jobs' rows, so later changes of an emoji's tool do not
    matter. In memory is only which messages were tapped, the last of them: others' reactions take no query.
    When a photo is deleted, or taken out of its message, what others and the bot itself started from it is
    cancelled too; a result that can't be stopped is posted without the photo. Without the message content
    intent nobody tells which photos an edited message has left, so that ends nothing.
    """

    def __init__(
        self,
        client: discord.Client,
        services: Services,
        catalog: Catalog,
        readers: ReaderLanguages,
        arrivals: InOrder,
    ) -> None:
        self._client = client
        self._services = services
        self._arrivals = arrivals
        self._jobs = PhotoJobs(client, services, catalog, readers)
        self._tapped = BoundedDict[int, None](MAX_REMEMBERED_TAPPED)  # messages
        self._backlog = Backlog[_Photo | _TakenBack](
            "jobs from photos",
            self._do,
            bound=WAITING,
            bound_in_all=WAITING_IN_ALL,
            at_once=AT_ONCE,
            abreast=OF_A_SERVER_AT_ONCE,
            key=lambda one: one.message_id,
            # What a member does with a photo is done in order, and what happens to it for all.
            part=lambda one: one.member.id if isinstance(one, _Photo) else one.user_id,
        )
        self._offers = Backlog[discord.Message](
            "offering tools under photos",
            self._offer,
            bound=OFFERS_WAITING,
            bound_in_all=OFFERS_WAITING_IN_ALL,
            at_once=OFFERS_AT_ONCE,
        )

    async def load(self) -> None:
        """Load which messages were tapped for jobs and open questions from before the start."""
        for message_id in await self._services.db.read(confirm.tapped_messages, self._services.clock.now()):
            self._tapped[message_id] = None
        for job in await self._services.db.read(queries.in_states, ACTIVE_STATES):
            if job.origin_message_id is not None and job.tapped is not None:
                self._tapped[job.origin_message_id] = None

    async def close(self) -> None:
        """Drop waiting work."""
        await self._backlog.close()
        await self._offers.close()

    async def tapped(self, event: discord.RawReactionActionEvent) -> None:
        """Handle an added reaction."""
        own, member = self._client.user, event.member
        if member is None or member.bot or own is None or event.message_author_id == own.id:
            return
        guild_id, emoji = member.guild.id, emoji_of(event.emoji)
        if self._services.photo_rules.tap(guild_id, emoji.key) is None:
            return  # it stands for no tool
        if not any(self._state_of(member.guild, event.channel_id)):
            return
        self._tapped[event.message_id] = None
        place = self._arrivals.arrive(guild_id)
        photo = _Photo(member, event.channel_id, event.message_id, place, emoji)
        if not self._backlog.put(guild_id, photo):
            place.leave()
            await self._jobs.tell(member, TAP_SKIPPED.__str__)

    def taken_back(self, event: discord.RawReactionActionEvent) -> None:
        """Handle a removed reaction."""
        if event.guild_id is not None and event.message_id in self._tapped:
            emoji = emoji_of(event.emoji).key
            self._take_back(_TakenBack(event.guild_id, event.message_id, event.user_id, emoji))

    def cleared(self, event: Cleared) -> None:
        """Handle the removal of all reactions, or all of one emoji."""
        if event.guild_id is not None and event.message_id in self._tapped:
            one = isinstance(event, discord.RawReactionClearEmojiEvent)
            emoji = emoji_of(event.emoji).key if one else None
            self._take_back(_TakenBack(event.guild_id, event.message_id, emoji=emoji))

    def deleted(self, guild_id: int | None, message_id: int) -> None:
        """Handle a deleted message."""
        if guild_id is not None:
            self._offers.withdraw(guild_id, lambda message: message.id == message_id)
            self._take_back(_TakenBack(guild_id, message_id, deleted=True))

    def edited(self, message: discord.Message) -> None:
        """Handle an edited message, which may have lost a photo."""
        own = self._client.user is not None and message.author.id == self._client.user.id
        if message.guild is not None and not own:
            left = frozenset(urlsplit(photo.url).path for photo in photos_in(message))
            gone = _TakenBack(message.guild.id, message.id, deleted=True, left=left)
            self._backlog.put(message.guild.id, gone, at_once=True)

    async def posted(self, message: discord.Message) -> None:
        """Handle a new message."""
        guild, author = message.guild, message.author
        if guild is None or not by_a_person(message) or not isinstance(author, discord.Member):
            return
        channels = self._services.photo_rules.rules(guild.id).channels
        if not channels:
            return
        places = ids_of_place(message.channel, message.channel.id)
        found = next((channels[one] for one in places if one in channels), None)
        if found is None or not _photos(message):
            return
        if found.kind is PhotoChannelKind.OFFER:
            if not self._offers.put(guild.id, message):
                await self._jobs.tell(author, OFFER_SKIPPED.__str__)
            return
        place = self._arrivals.arrive(guild.id)
        photo = _Photo(author, message.channel.id, message.id, place, posted=(message, found))
        if not self._backlog.put(guild.id, photo):
            place.leave()
            await self._jobs.tell(author, AUTO_SKIPPED.__str__)

    def _state_of(self, guild: discord.Guild, channel_id: int) -> tuple[bool, bool]:
        """Return whether reactions are on there, and whether the bot offers emoji there."""
        rules = self._services.photo_rules.rules(guild.id)
        ids = ids_of_place(guild.get_channel_or_thread(channel_id), channel_id)
        on = rules.everywhere or any(one in rules.reaction_channels for one in ids)
        offers = any(
            one in rules.channels and rules.channels[one].kind is PhotoChannelKind.OFFER for one in ids
        )
        return on, offers

    async def _do(self, one: _Photo | _TakenBack) -> None:
        if isinstance(one, _TakenBack):
            await self._undo(one)
            return
        try:
            ask = await (self._prepare(one) if one.posted is None else self._prepare_posted(one, *one.posted))
            await one.place.turn()
        finally:
            one.place.leave()
        await ask()

    async def _prepare(self, photo: _Photo) -> NextStep:
        """Read the photo and what its job needs. Return what asks for the job, or tells why there is none."""
        member, guild, emoji = photo.member, photo.member.guild, photo.emoji
        tap = None if emoji is None else self._services.photo_rules.tap(guild.id, emoji.key)
        if tap is None or emoji is None:
            return no_jobs
        if not can_post(guild, photo.channel_id):
            # Whether the emoji counts there is only known of the message, which may not be read.
            if self._state_of(guild, photo.channel_id)[0]:
                await self._jobs.tell(member, partial(cannot_post_words, guild, photo.channel_id))
            return no_jobs
        channel = self._client.get_partial_messageable(photo.channel_id, guild_id=guild.id)
        try:
            async with asyncio.timeout(FETCHED_WITHIN):
                message = await channel.fetch_message(photo.message_id)
        except DISCORD_ERRORS as error:
            _log.info("A message with a reaction could not be fetched: %r", error)
            if not isinstance(error, NO_ACCESS):
                await self._jobs.tell(member, NOT_READ.__str__)
            return no_jobs
        on, offers = self._state_of(guild, photo.channel_id)
        if not (on or (offers and _offered(message, emoji))):
            return no_jobs
        own = self._client.user is not None and message.author.id == self._client.user.id
        photos = () if own else _photos(message)[:1]
        return await self._jobs.prepare(member, message, tap.preset, photos, emoji.key)

    async def _prepare_posted(
        self, photo: _Photo, message: discord.Message, channel: PhotoChannel
    ) -> NextStep:
        member = photo.member
        if channel.preset is None:
            return no_jobs
        if not can_post(member.guild, photo.channel_id):
            await self._jobs.tell(member, partial(cannot_post_words, member.guild, photo.channel_id))
            return no_jobs
        return await self._jobs.prepare(member, message, channel.preset, _photos(message)[: channel.most])

    async def _offer(self, message: discord.Message) -> None:
        if message.guild is None or not can_post(message.guild, message.channel.id, offer=True):
            return  # tapping them would do nothing
        if await self._services.db.read(why_closed, message.guild.id) is not None:
            return  # nor would it here
        rules = await self._services.db.read(access.of, message.guild.id, self._services.clock.now())
        channels = channel_ids_of(message.channel)
        taps = [
            tap
            for tap in self._services.photo_rules.taps(message.guild.id)
            if access.open_in(rules, tap.preset.tool, channels)
        ]
        for tap in taps[:MAX_OFFERED_EMOJI]:
            try:
                await message.add_reaction(str(tap.emoji))
            except discord.Forbidden as error:
                _log.info("No emoji can be put under photos in channel %d: %s", message.channel.id, error)
                if not tap.emoji.id:
                    return
                # Another server's takes a permission of its own, without which the others may be put there.
            except discord.NotFound as error:
                if error.code != UNKNOWN_EMOJI:
                    return  # the message is gone
            except DISCORD_ERRORS as error:
                _log.info("An emoji could not be put under a photo: %r", error)

    def _take_back(self, gone: _TakenBack) -> None:
        def undone(one: _Photo | _TakenBack) -> bool:
            if isinstance(one, _TakenBack) or one.message_id != gone.message_id:
                return False
            return gone.means(one.member.id, None if one.emoji is None else one.emoji.key)

        for one in self._backlog.withdraw(gone.guild_id, undone):
            if isinstance(one, _Photo):
                one.place.leave()
        # A job that is being started is finished before.
        self._backlog.put(gone.guild_id, gone, at_once=True)

    async def _undo(self, gone: _TakenBack) -> None:
        db, about = self._services.db, (gone.guild_id, gone.message_id)
        if gone.left is None:
            asked = await db.read(confirm.under, *about)
            if meant := [one.id for one in asked if gone.means(one.user_id, one.request.tapped)]:
                await db.write(confirm.end, gone.guild_id, meant, self._services.clock.now())
        for job in await db.read(queries.from_photo, *about):
            if gone.means(job.user_id, job.tapped) and (gone.left is None or not _stands(job, gone.left)):
                await self._cancel(job, gone)

    async def _cancel(self, job: Job, gone: _TakenBack) -> None:
        """Cancel the job. Its requester is notified unless it is their own doing."""
        own = gone.user_id is not None or (gone.deleted and author_of(job) == job.user_id)
        by, at = job.user_id if own else SOMEBODY_ELSE, self._services.clock.now()
        which = (job.id, job.guild_id, by, at)
        try:
            actions.ensure_cancelled(await self._services.db.write(actions.cancel, *which, moderates=not own))
        except Refused:  # it is being made, or has been
            if gone.deleted:
                file = await self._services.db.write(privacy.hide_photo, job.id)
                if file is not None:
                    await self._services.discard(file)


def _photos(message: discord.Message) -> Sequence[SourcePhoto]:
    """Return the message's photos, without those that Discord says are of a kind that is not taken."""
    return taken_of(photos_in(message))


def _offered(message: discord.Message, emoji: Emoji) -> bool:
    """Return whether the bot added that reaction."""
    return any(one.me for one in message.reactions if emoji_of(one.emoji).key == emoji.key)


def _stands(job: Job, left: frozenset[str]) -> bool:
    """Return whether the job's photo is still in its message.

    True for photos that are not attached, as Discord removes and restores previews.
    """
    if job.source is None:
        return False
    path = urlsplit(job.source.url).path
    return path in left or not path.startswith(f"/attachments/{job.source.channel_id}/")
