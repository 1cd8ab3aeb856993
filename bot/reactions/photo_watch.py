"""Handle reactions and photos. Other events take no request, query or task."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import discord

from bot.aio.in_order import InOrder
from bot.catalog import Catalog
from bot.domain import Job, SourcePhoto
from bot.domain.access import open_in
from bot.domain.photo_rules import MAX_OFFERED_EMOJI, PhotoChannel, PhotoChannelKind, Preset
from bot.languages import ReaderLanguages, lazy
from bot.reactions.backlog import Backlog
from bot.reactions.channel_permissions import can_post, cannot_post_words
from bot.reactions.events import Tapped, by_a_person, emoji_of, ids_of_place, place_of
from bot.reactions.photo_jobs import NextStep, PhotoJobs, no_jobs
from bot.reactions.photo_questions import PhotoQuestions
from bot.reactions.reaction_jobs import ReactionJobs
from bot.reactions.refusal_teller import RefusalTeller
from bot.reactions.skipped_notices import AUTO_SKIPPED, OFFER_SKIPPED, TAP_SKIPPED, Skipped
from bot.services import Services
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.reading.authors import author_of
from bot.ui.reading.member import channel_ids_of
from bot.ui.reading.pictures import photos_in, taken_of

_log = logging.getLogger(__name__)

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_EMOJI = 10014
NOT_READ = lazy("The photo that you tapped couldn't be read. Tap it again in a minute. Nothing was charged.")
PHOTOS_WAITING = 500  # of a server
PHOTOS_WAITING_IN_ALL = 2000
MAX_WITHDRAWN = 2000  # taps or photos whose questions are to be removed
# In one server one at a time: Discord takes one reaction in a quarter of a second, and discord.py waits.
PHOTOS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _PostedPhoto:
    """A message in a photo channel, and what that channel does."""

    message: discord.Message
    channel: PhotoChannel


class PhotoWatch:
    """Turns reactions and photos into jobs, within the same limits as other jobs."""

    def __init__(
        self, client: discord.Client, services: Services, catalog: Catalog, readers: ReaderLanguages
    ) -> None:
        self._client = client
        self._services = services
        self._in_order = InOrder()  # taps that are read at once are decided as they came
        self._taps = ReactionJobs(services.jobs, services.privacy, self._start)
        self._questions = PhotoQuestions(services.confirmations, catalog, readers)
        self._withdrawn = Backlog[list[str]](
            "withdrawing questions",
            self._questions.withdraw,
            bound=MAX_WITHDRAWN,
            bound_in_all=MAX_WITHDRAWN,
            at_once=1,
        )
        self._offers = _photo_backlog("offering tools under photos", self._offer)
        self._autos = _photo_backlog("running tools on photos automatically", self._run)
        self._refusals = RefusalTeller(services.refusals, readers)
        self._photo_jobs = PhotoJobs(client, services, catalog, self._questions, self._refusals)
        self._skipped = Skipped(self._refusals.tell)

    async def load(self) -> None:
        """Load the unfinished jobs from before the start."""
        await self._taps.load()

    async def close(self) -> None:
        """Drop waiting work."""
        for one in (self._taps, self._offers, self._autos, self._skipped, self._withdrawn):
            await one.close()

    def tapped(self, event: discord.RawReactionActionEvent) -> None:
        """Handle an added reaction."""
        own = self._client.user
        if event.member is None or event.member.bot or own is None or event.message_author_id == own.id:
            return
        tapped = self._counts(event)
        if tapped is not None and not self._taps.add(tapped):
            self._skipped.add(event.member, TAP_SKIPPED)

    def taken_back(self, event: discord.RawReactionActionEvent) -> None:
        """Handle a removed reaction."""
        if event.guild_id is not None:
            emoji = emoji_of(event.emoji).key
            self._taps.take_back(event.guild_id, event.message_id, event.user_id, emoji)
            self._withdraw(event.guild_id, self._questions.under(event.message_id, event.user_id, emoji))

    def cleared(self, event: discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent) -> None:
        """Handle the removal of all reactions, or all of one emoji."""
        if event.guild_id is not None:
            one = isinstance(event, discord.RawReactionClearEmojiEvent)
            emoji = emoji_of(event.emoji).key if one else None
            self._taps.clear(event.guild_id, event.message_id, emoji)
            self._withdraw(event.guild_id, self._questions.under(event.message_id, emoji=emoji))

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
                backlog.withdraw(guild_id, lambda photo: photo.message.id == message_id)
            self._taps.deleted(guild_id, message_id)
            self._withdraw(guild_id, self._questions.under(message_id))

    def edited(self, message: discord.Message) -> None:
        """Handle an edited message, which may have lost a photo."""
        if message.guild is not None:
            self._taps.edited(message.guild.id, message.id, lambda: _paths(message))

    def posted(self, message: discord.Message) -> None:
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
            photo = _PostedPhoto(message, channels[found])
            offers = photo.channel.kind is PhotoChannelKind.OFFER
            taken = (self._offers if offers else self._autos).put(message.guild.id, photo)
            if not taken and isinstance(message.author, discord.Member):
                self._skipped.add(message.author, OFFER_SKIPPED if offers else AUTO_SKIPPED)

    def _withdraw(self, guild_id: int, questions: list[str]) -> None:
        if questions:
            self._withdrawn.put(guild_id, questions)

    def _counts(self, event: discord.RawReactionActionEvent) -> Tapped | None:
        """Return what was tapped, if the emoji stands for a tool and may count there."""
        if event.guild_id is None:
            return None
        emoji = emoji_of(event.emoji)
        if self._services.photo_rules.tap(event.guild_id, emoji.key) is None:
            return None
        tapped = Tapped(
            event.guild_id, event.channel_id, event.message_id, event.user_id, emoji, event.member
        )
        on, offers = self._state_of(tapped)
        return tapped if on or offers else None

    def _state_of(self, tapped: Tapped) -> tuple[bool, bool]:
        """Return whether reactions are on there, and whether the bot offers emoji there."""
        rules = self._services.photo_rules.rules(tapped.guild_id)
        place = place_of(self._client, tapped.guild_id, tapped.channel_id)
        ids = ids_of_place(place, tapped.channel_id)
        on = rules.everywhere or any(one in rules.reaction_channels for one in ids)
        offers = any(
            one in rules.channels and rules.channels[one].kind is PhotoChannelKind.OFFER for one in ids
        )
        return on, offers

    async def _start(self, tapped: Tapped) -> Job | None:
        tap = self._services.photo_rules.tap(tapped.guild_id, tapped.emoji.key)
        member = tapped.member
        if tap is None or member is None:
            return None
        if not can_post(member.guild, tapped.channel_id):
            # Whether the emoji counts there is only known of the message, which may not be read.
            if self._state_of(tapped)[0]:
                words = partial(cannot_post_words, member.guild, tapped.channel_id)
                await self._refusals.tell(member, words)
            return None
        ask = await self._in_order.keep(tapped.guild_id, self._prepare(tapped, member, tap.preset))
        jobs = await ask()
        return jobs[0] if jobs else None

    async def _prepare(self, tapped: Tapped, member: discord.Member, preset: Preset) -> NextStep:
        """Read the photo and what its job needs. Return what asks for the job, or tells why there is none."""
        channel = self._client.get_partial_messageable(tapped.channel_id, guild_id=tapped.guild_id)
        try:
            message = await channel.fetch_message(tapped.message_id)
        except DISCORD_ERRORS as error:
            _log.info("A message with a reaction could not be fetched: %r", error)
            if isinstance(error, discord.NotFound | discord.Forbidden):
                return no_jobs
            return partial(no_jobs, partial(self._refusals.tell, member, NOT_READ.__str__))
        on, offers = self._state_of(tapped)
        if not (on or (offers and _offered(message, tapped))):
            return no_jobs
        own = self._client.user is not None and message.author.id == self._client.user.id
        photos = [] if own else _photos(message)
        return await self._photo_jobs.prepare(member, message, preset, photos[:1], tapped.emoji.key)

    async def _run(self, photo: _PostedPhoto) -> None:
        message, channel = photo.message, photo.channel
        author = message.author
        if channel.preset is None or not isinstance(author, discord.Member):
            return
        if not can_post(author.guild, message.channel.id):
            await self._refusals.tell(author, partial(cannot_post_words, author.guild, message.channel.id))
        else:
            note = partial(self._taps.made_from, message.id)
            ask = await self._photo_jobs.prepare(
                author, message, channel.preset, _photos(message)[: channel.most], note=note
            )
            await ask()

    async def _offer(self, photo: _PostedPhoto) -> None:
        message = photo.message
        if message.guild is None or not can_post(message.guild, message.channel.id, offer=True):
            return  # tapping them would do nothing
        if await self._services.jobs.why_closed(message.guild.id) is not None:
            return  # nor would it here
        rules = await self._services.access.rules(message.guild.id)
        channels = channel_ids_of(message.channel)
        taps = [
            tap
            for tap in self._services.photo_rules.taps(message.guild.id)
            if open_in(rules, tap.preset.tool, channels)
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
