"""Delivery in the channel that a job was asked for in: its card kept up to date, and its last word."""

import asyncio
import logging
from typing import Any

import discord

from bot.catalog import Catalog
from bot.clock import Clock
from bot.delivery.destination import Place, known_channel
from bot.delivery.edit_rate import EditPace
from bot.delivery.errors import Outcome, ensure_final, outcome_of, seconds_until_retry
from bot.delivery.files import DEFAULT_LIMIT, Fit, Showings
from bot.delivery.history import CLOCKS_DIFFER, NONCE_SECONDS, find_card, find_posting, find_question
from bot.delivery.notices import NoticePoster
from bot.delivery.tokens import CardTokens
from bot.domain import (
    Announcement,
    ChannelGone,
    Job,
    JobState,
    Notice,
    OutputFile,
    Posted,
    Progress,
    TryLater,
    Undeliverable,
)
from bot.domain.confirmations import Confirmation
from bot.ui.jobs.card import job_card
from bot.ui.jobs.result import (
    can_play,
    ended_elsewhere,
    ending,
    linked_result,
    linked_video,
    plain_buttons,
    result,
)
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.layout import Panel
from bot.ui.kit.responses import NO_MENTIONS
from bot.ui.reading.permissions import missing_to_post, stays_there

_log = logging.getLogger(__name__)

EDIT_SECONDS = 30.0
SEND_SECONDS = 120.0
READ_HISTORY = "Read Message History"
TOO_LARGE = "It's over Discord's size limit here, so I couldn't post it as a file."
FILE_GONE = "Its file was deleted before it could be posted."


class DiscordDelivery:
    """Tells people about their jobs, with ordinary messages once an interaction's token has expired."""

    def __init__(
        self, client: discord.Client, catalog: Catalog, clock: Clock, fit: Fit | None = None
    ) -> None:
        self._client = client
        self._fit = fit
        self._clock = clock
        self._since = clock.now()
        self._names = ToolNames(catalog)
        self._tokens = CardTokens(clock)
        self._pace = EditPace()
        self._notices = NoticePoster(client, self._names, clock)

    def remember(self, job_id: str, interaction: discord.Interaction[Any]) -> None:
        """Note that the job's card is this interaction's answer, edited by its token while that lives."""
        self._tokens.remember(job_id, interaction)

    async def show_card(self, job: Job, progress: Progress) -> bool:
        """Bring the card up to date. Returns False if that isn't possible now and is to be tried again."""
        if job.card_message_id is None:
            return True
        channel_id = job.channel_id if self._tokens.get(job.id) is None else None
        now = self._clock.monotonic()
        ending = job.over
        if not self._pace.take(channel_id, job.card_message_id, now, ending=ending):
            return False
        try:
            async with asyncio.timeout(EDIT_SECONDS):
                await self._edit(job, job.card_message_id, job_card(job, self._names, progress))
        except DISCORD_ERRORS as error:
            outcome = outcome_of(error)
            _log.info("The card of job %s could not be edited: %r", job.id, error, extra={"job": job.id})
            return outcome is not Outcome.LATER
        return True

    async def post_card(self, job: Job, progress: Progress) -> Announcement:
        """Post the job's card as a reply to its photo, without a ping or a sound."""
        try:
            async with asyncio.timeout(EDIT_SECONDS):
                return await self._post_card(job, progress)
        except DISCORD_ERRORS as error:
            return self._failed(job, error)

    async def find_card(self, job: Job) -> Announcement:
        """Find the card that Discord took as a command's answer, although nobody heard of it."""
        try:
            async with asyncio.timeout(EDIT_SECONDS):
                return Posted(await find_card(self._channel(job), self._own_id, job))
        except DISCORD_ERRORS as error:
            return self._failed(job, error, "its card could not be searched for")

    async def remove_question(self, question: Confirmation) -> bool:
        """Remove the message that asks a question. Returns False if that isn't possible now."""
        request = question.request
        channel = self._client.get_partial_messageable(request.channel_id, guild_id=request.guild_id)
        try:
            async with asyncio.timeout(EDIT_SECONDS):
                found = question.message_id or await find_question(channel, self._own_id, question)
                if found is not None:
                    await channel.get_partial_message(found).delete()
        except DISCORD_ERRORS as error:
            _log.info("A question under a photo could not be removed: %r", error)
            return outcome_of(error) is not Outcome.LATER
        return True

    async def announce(self, job: Job, output: OutputFile | None) -> Announcement:
        """Post the job's last word as a new message; once for each `job.nonce`.

        An earlier one, that the outcome is unknown, is removed once the new one is there.
        """
        try:
            async with asyncio.timeout(SEND_SECONDS):
                said = await self._announce(job, output)
        except DISCORD_ERRORS as error:
            return self._failed(job, error)
        earlier = job.result_message_id
        if isinstance(said, Posted) and earlier is not None and earlier != said.message_id:
            await self._remove(job, earlier)
        return said

    async def notify(
        self, notice: Notice, channel_id: int | None, job: Job | None
    ) -> Announcement | ChannelGone:
        """Tell a server's admins something, there or (None) its owner by DM."""
        return await self._notices.post(notice, channel_id, job)

    async def _remove(self, job: Job, message_id: int) -> None:
        try:
            async with asyncio.timeout(EDIT_SECONDS):
                await self._channel(job).get_partial_message(message_id).delete()
        except DISCORD_ERRORS as error:
            _log.info("Job %s: its earlier message stays: %r", job.id, error, extra={"job": job.id})

    async def _edit(self, job: Job, message_id: int, card: Panel) -> None:
        answer = self._tokens.get(job.id)
        if answer is not None:
            try:
                async with answer.turn:
                    if not answer.spoken:
                        await answer.webhook.edit_message(message_id, view=card, allowed_mentions=NO_MENTIONS)
            except discord.HTTPException as error:
                if error.status not in {401, 403, 404}:
                    raise
                self._tokens.forget(job.id)  # expired earlier than we thought: go on without it
            else:
                return
        if job.private:
            return  # nothing else can edit what one person alone sees
        message = self._channel(job).get_partial_message(message_id)
        await message.edit(view=card, allowed_mentions=NO_MENTIONS)

    async def _post_card(self, job: Job, progress: Progress) -> Announcement:
        missing = self._missing(job, file=False)
        if missing:
            return Undeliverable(f"the bot lacks {', '.join(missing)}")
        if (self._clock.now() - job.created_at).total_seconds() > NONCE_SECONDS:
            found = await find_card(self._channel(job), self._own_id, job)
            if found is not None:
                return Posted(found)
        parts: dict[str, Any] = {"view": job_card(job, self._names, progress), "silent": True}
        if (reference := _reply_to(job)) is not None:
            parts["reference"] = reference
        nonce = f"{job.id}-card"
        message = await self._channel(job).send(nonce=nonce, allowed_mentions=NO_MENTIONS, **parts)
        return Posted(message.id)

    async def _announce(self, job: Job, output: OutputFile | None) -> Announcement:
        if job.private:
            return await self._announce_privately(job, output)
        with_file = job.state is JobState.SUCCEEDED and output is not None
        missing = self._missing(job, file=with_file)
        if missing and missing != [READ_HISTORY]:
            return await self._announce_in_dm(job, output, f"the bot lacks {', '.join(missing)}")
        if not missing and self._may_be_posted(job):
            found = await self._posted_before(job)
            if found is not None:
                return Posted(found)
        place = Place(self._channel(job), None if missing else _reply_to(job))
        try:
            return await self._say(job, output, place)
        except discord.HTTPException as error:
            # Its channel is gone or closed to us, its thread is locked.
            if outcome_of(error) is not Outcome.NEVER:
                raise
            return await self._announce_in_dm(job, output, str(error))

    async def _announce_privately(self, job: Job, output: OutputFile | None) -> Announcement:
        """Tell its person alone: in place of the card while Discord lets us, then by DM."""
        answer = self._tokens.get(job.id)
        if answer is not None and job.card_message_id is not None:
            try:
                async with answer.turn:
                    answer.spoken = True
                    await self._say(job, output, Place(answer=answer.webhook, card=job.card_message_id))
            except discord.HTTPException as error:
                if error.status not in {401, 403, 404}:
                    raise
                self._tokens.forget(job.id)
            else:
                return Posted(None)
        return await self._announce_in_dm(job, output, "its interaction has expired")

    async def _announce_in_dm(self, job: Job, output: OutputFile | None, why: str) -> Announcement:
        """Tell by DM what can't be told where it was asked for. Nothing from an age-restricted channel."""
        if stays_there(self._client, job):
            await self._tell_of_end(job)
            return Undeliverable(f"{why}, and results from there can't be shown elsewhere")
        try:
            dm = await self._client.create_dm(discord.Object(job.user_id))
            if self._may_be_posted(job) and await find_posting(dm, self._own_id, job) is not None:
                return Posted(None)
            await self._say(job, output, Place(dm, by_dm=True), DEFAULT_LIMIT)
        except (discord.Forbidden, discord.NotFound) as error:
            ensure_final(error)
            return Undeliverable(f"{why}; nor by DM: {error}")
        return Posted(None)

    async def _tell_of_end(self, job: Job) -> None:
        """Tell the person by DM that `/jobs` has it, and nothing of what it is."""
        guild = self._client.get_guild(job.guild_id)
        if guild is None:
            return  # removed from there
        try:
            dm = await self._client.create_dm(discord.Object(job.user_id))
            await self._send(job, Place(dm, by_dm=True), view=ended_elsewhere(guild.name))
        except (discord.Forbidden, discord.NotFound) as error:
            ensure_final(error)

    async def _say(
        self, job: Job, output: OutputFile | None, place: Place, limit: int | None = None
    ) -> Announcement:
        if job.state is not JobState.SUCCEEDED:
            return await self._send(job, place, view=ending(job, self._names, by_dm=place.by_dm))
        if output is None:
            return await self._send_link(job, place, FILE_GONE)
        return await self._send_file(job, place, output, limit or self._size_limit(job))

    async def _posted_before(self, job: Job) -> int | None:
        try:
            card = job.card_message_id
            since = discord.Object(card) if card else job.created_at - CLOCKS_DIFFER
            return await find_posting(self._channel(job), self._own_id, job, since=since)
        except (discord.Forbidden, discord.NotFound) as error:
            ensure_final(error)
            return None  # we may not look, or it is gone; the nonce is all there is then

    async def _send_file(self, job: Job, place: Place, output: OutputFile, limit: int) -> Announcement:
        showings = Showings(job, output, limit, self._fit)
        for attempt in (showings.whole, showings.alone, showings.smaller):
            showing = await attempt()
            if showing is None:
                continue
            view = result(job, self._names, *showing.names, notes=showing.notes, by_dm=place.by_dm)
            try:
                return await self._send(job, place, view=view, files=showing.files)
            except discord.HTTPException as error:
                if outcome_of(error) is not Outcome.TOO_LARGE:
                    raise
            finally:
                showing.close()
        there = await asyncio.to_thread(output.path.is_file)
        return await self._send_link(job, place, TOO_LARGE if there else FILE_GONE)

    async def _send_link(self, job: Job, place: Place, why: str) -> Announcement:
        if can_play(job) and place.answer is None:  # a card can't become an ordinary message
            words = linked_video(job, self._names, why, by_dm=place.by_dm)
            view = plain_buttons(job, self._names, by_dm=place.by_dm)
            return await self._send(job, place, content=words, view=view)
        return await self._send(job, place, view=linked_result(job, self._names, why, by_dm=place.by_dm))

    async def _send(self, job: Job, place: Place, **parts: Any) -> Posted:
        mentions = discord.AllowedMentions(
            everyone=False, roles=False, users=[discord.Object(job.user_id)], replied_user=False
        )
        return Posted(await place.send(job.nonce, mentions, **parts))

    def _failed(self, job: Job, error: Exception, what: str = "it could not be announced") -> Announcement:
        match outcome_of(error):
            case Outcome.LATER:
                _log.info("Job %s: %s yet: %r", job.id, what, error, extra={"job": job.id})
                return TryLater(seconds_until_retry(error))
            case Outcome.WAS_DELETED:
                return Posted(None)
            case Outcome.NEVER | Outcome.TOO_LARGE:
                _log.warning("Job %s: %s: %r", job.id, what, error, extra={"job": job.id})
                return Undeliverable(str(error))

    def _channel(self, job: Job) -> discord.PartialMessageable:
        # By its id alone: an archived thread, or any channel before the gateway is ready, is in no cache.
        return self._client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)

    @property
    def _own_id(self) -> int:
        return self._client.user.id if self._client.user else 0

    def _missing(self, job: Job, *, file: bool) -> list[str]:
        known = known_channel(self._client, job.guild_id, job.channel_id)
        if known is None:
            return []
        me, channel = known
        return missing_to_post(channel.permissions_for(me), channel, file=file)

    def _size_limit(self, job: Job) -> int:
        guild = self._client.get_guild(job.guild_id)
        return guild.filesize_limit if guild else DEFAULT_LIMIT

    def _may_be_posted(self, job: Job) -> bool:
        ended = job.finished_at or job.changed_at
        if (self._clock.now() - ended).total_seconds() > NONCE_SECONDS:
            return True
        # In an earlier life, of which the database, being a backup taken back, may know nothing.
        return job.created_at < self._since


def _reply_to(job: Job) -> discord.MessageReference | None:
    message_id = job.card_message_id or job.origin_message_id
    if message_id is None:
        return None
    return discord.MessageReference(
        message_id=message_id,
        channel_id=job.channel_id,
        guild_id=job.guild_id,
        fail_if_not_exists=False,
    )
