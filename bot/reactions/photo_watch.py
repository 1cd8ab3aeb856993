"""Handle reactions and photos. Other events take no request, query or task."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import discord

from bot.aio.tasks import InOrder, PlaceInOrder
from bot.catalog import Catalog
from bot.features.photo_rules import MAX_OFFERED_EMOJI, PhotoChannel, PhotoChannelKind
from bot.jobs.accept import why_closed
from bot.jobs.confirm import AUTO_SKIPPED, TAP_SKIPPED
from bot.jobs.models import Job, SourcePhoto
from bot.languages import ReaderLanguages, lazy
from bot.reactions.backlog import Backlog
from bot.reactions.events import (
    Cleared,
    Tapped,
    by_a_person,
    can_post,
    cannot_post_words,
    emoji_of,
    ids_of_place,
    place_of,
)
from bot.reactions.photo_jobs import OFFER_SKIPPED, NextStep, PhotoJobs, no_jobs
from bot.reactions.taps import ReactionJobs
from bot.servers import access
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
PHOTOS_WAITING = 500  # of a server
PHOTOS_WAITING_IN_ALL = 2000
# In one server one at a time: Discord takes one reaction in a quarter of a second, and discord.py waits.
PHOTOS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _PostedPhoto:
    """A message in a photo channel, what that channel does, and the place of its jobs in the server's order
    of arrival."""

    message: discord.Message
    channel: PhotoChannel
    place: PlaceInOrder


class PhotoWatch:
    """Turns reactions and photos into jobs, within the same limits as other jobs."""

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
        self._taps = ReactionJobs(services, self._start)
        self._offers = _photo_backlog("offering tools under photos", self._offer)
        self._autos = _photo_backlog("running tools on photos automatically", self._run)
        self._photo_jobs = PhotoJobs(client, services, catalog, readers, self._taps.asked)

    async def load(self) -> None:
        """Load the unfinished jobs from before the start."""
        await self._taps.load()

    async def close(self) -> None:
        """Drop waiting work."""
        for one in (self._taps, self._offers, self._autos):
            await one.close()

    async def tapped(self, event: discord.RawReactionActionEvent) -> None:
        """Handle an added reaction."""
        own = self._client.user
        member = event.member
        if member is None or member.bot or own is None or event.message_author_id == own.id:
            return
        guild_id, emoji = member.guild.id, emoji_of(event.emoji)
        if self._services.photo_rules.tap(guild_id, emoji.key) is None:
            return  # it stands for no tool
        if not any(self._state_of(guild_id, event.channel_id)):
            return
        place = self._arrivals.arrive(guild_id)
        tapped = Tapped(guild_id, event.channel_id, event.message_id, member.id, emoji, member, place)
        if not self._taps.add(tapped):
            await self._photo_jobs.tell(member, TAP_SKIPPED.__str__)

    def taken_back(self, event: discord.RawReactionActionEvent) -> None:
        """Handle a removed reaction."""
        if event.guild_id is not None:
            emoji = emoji_of(event.emoji).key
            self._taps.take_back(event.guild_id, event.message_id, event.user_id, emoji)

    def cleared(self, event: Cleared) -> None:
        """Handle the removal of all reactions, or all of one emoji."""
        if event.guild_id is not None:
            one = isinstance(event, discord.RawReactionClearEmojiEvent)
            emoji = emoji_of(event.emoji).key if one else None
            self._taps.clear(event.guild_id, event.message_id, emoji)

    def used(self, message_id: int, job: Job) -> None:
        """Note that a person used the menu of a member's photo, as members may well delete a photo after
        that; or that they have confirmed a job under a photo."""
        if job.tapped is not None:
            self._taps.started_by(message_id, job, job.tapped)
        elif job.origin_message_id is not None or author_of(job) != job.user_id:
            self._taps.made_from(message_id, job)

    def deleted(self, guild_id: int | None, message_id: int) -> None:
        """Handle a deleted message."""
        if guild_id is not None:
            for backlog in (self._offers, self._autos):
                for photo in backlog.withdraw(guild_id, lambda photo: photo.message.id == message_id):
                    photo.place.leave()
            self._taps.deleted(guild_id, message_id)

    def edited(self, message: discord.Message) -> None:
        """Handle an edited message, which may have lost a photo."""
        if message.guild is not None:
            self._taps.edited(message.guild.id, message.id, lambda: _paths(message))

    async def posted(self, message: discord.Message) -> None:
        """Handle a new message."""
        if message.guild is None or not by_a_person(message):
            return
        channels = self._services.photo_rules.rules(message.guild.id).channels
        if not channels:
            return
        found = next(
            (one for one in ids_of_place(message.channel, message.channel.id) if one in channels), None
        )
        if found is not None and _photos(message):
            photo = _PostedPhoto(message, channels[found], self._arrivals.arrive(message.guild.id))
            offers = photo.channel.kind is PhotoChannelKind.OFFER
            if offers:
                photo.place.leave()
            if (self._offers if offers else self._autos).put(message.guild.id, photo):
                return
            photo.place.leave()
            if isinstance(message.author, discord.Member):
                skipped = OFFER_SKIPPED if offers else AUTO_SKIPPED
                await self._photo_jobs.tell(message.author, skipped.__str__)

    def _state_of(self, guild_id: int, channel_id: int) -> tuple[bool, bool]:
        """Return whether reactions are on there, and whether the bot offers emoji there."""
        rules = self._services.photo_rules.rules(guild_id)
        ids = ids_of_place(place_of(self._client, guild_id, channel_id), channel_id)
        on = rules.everywhere or any(one in rules.reaction_channels for one in ids)
        offers = any(
            one in rules.channels and rules.channels[one].kind is PhotoChannelKind.OFFER for one in ids
        )
        return on, offers

    async def _start(self, tapped: Tapped) -> Job | None:
        try:
            ask = await self._prepare(tapped)
            await tapped.place.turn()
        finally:
            tapped.place.leave()
        jobs = await ask()
        return jobs[0] if jobs else None

    async def _prepare(self, tapped: Tapped) -> NextStep:
        """Read the photo and what its job needs. Return what asks for the job, or tells why there is none."""
        tap, member = self._services.photo_rules.tap(tapped.guild_id, tapped.emoji.key), tapped.member
        if tap is None:
            return no_jobs
        if not can_post(member.guild, tapped.channel_id):
            # Whether the emoji counts there is only known of the message, which may not be read.
            if not self._state_of(tapped.guild_id, tapped.channel_id)[0]:
                return no_jobs
            await self._photo_jobs.tell(member, partial(cannot_post_words, member.guild, tapped.channel_id))
            return no_jobs
        channel = self._client.get_partial_messageable(tapped.channel_id, guild_id=tapped.guild_id)
        try:
            async with asyncio.timeout(FETCHED_WITHIN):
                message = await channel.fetch_message(tapped.message_id)
        except DISCORD_ERRORS as error:
            _log.info("A message with a reaction could not be fetched: %r", error)
            if not isinstance(error, NO_ACCESS):
                await self._photo_jobs.tell(member, NOT_READ.__str__)
            return no_jobs
        on, offers = self._state_of(tapped.guild_id, tapped.channel_id)
        if not (on or (offers and _offered(message, tapped))):
            return no_jobs
        own = self._client.user is not None and message.author.id == self._client.user.id
        photos = [] if own else _photos(message)
        return await self._photo_jobs.prepare(member, message, tap.preset, photos[:1], tapped.emoji.key)

    async def _run(self, photo: _PostedPhoto) -> None:
        try:
            ask = await self._prepare_posted(photo)
            await photo.place.turn()
        finally:
            photo.place.leave()
        await ask()

    async def _prepare_posted(self, photo: _PostedPhoto) -> NextStep:
        message, channel = photo.message, photo.channel
        author = message.author
        if channel.preset is None or not isinstance(author, discord.Member):
            return no_jobs
        if not can_post(author.guild, message.channel.id):
            await self._photo_jobs.tell(author, partial(cannot_post_words, author.guild, message.channel.id))
            return no_jobs
        note = partial(self._taps.made_from, message.id)
        photos = _photos(message)[: channel.most]
        return await self._photo_jobs.prepare(author, message, channel.preset, photos, note=note)

    async def _offer(self, photo: _PostedPhoto) -> None:
        message = photo.message
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


def _photo_backlog(what: str, work: Callable[[_PostedPhoto], Awaitable[None]]) -> Backlog[_PostedPhoto]:
    return Backlog(
        what, work, bound=PHOTOS_WAITING, bound_in_all=PHOTOS_WAITING_IN_ALL, at_once=PHOTOS_AT_ONCE
    )


def _photos(message: discord.Message) -> list[SourcePhoto]:
    """Return the message's photos, without those that Discord says are of a kind that is not taken."""
    return taken_of(photos_in(message))


def _paths(message: discord.Message) -> frozenset[str]:
    return frozenset(urlsplit(photo.url).path for photo in photos_in(message))


def _offered(message: discord.Message, tapped: Tapped) -> bool:
    """Return whether the bot added that reaction."""
    for reaction in message.reactions:
        if emoji_of(reaction.emoji).key == tapped.emoji.key:
            return reaction.me
    return False
