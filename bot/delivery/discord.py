"""Delivery in the channel that a job was asked for in: its card kept up to date, and its last word."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import discord

from bot.catalog import Catalog
from bot.clock import Clock
from bot.delivery.cards import CardPoster
from bot.delivery.destination import Place, Target, channel_of, missing_there, photo_of, reply_to
from bot.delivery.errors import Outcome, announcement_of, ensure_final, outcome_of
from bot.delivery.files import DEFAULT_LIMIT, Drawing, Fit, Showings
from bot.delivery.history import CLOCKS_DIFFER, NONCE_SECONDS, find_posting, find_question
from bot.delivery.notices import NoticePoster
from bot.delivery.threads import thread_for
from bot.delivery.tokens import CardTokens
from bot.domain import (
    Announcement,
    ChannelGone,
    ForModerators,
    Job,
    JobState,
    Notice,
    OutputFile,
    Posted,
    Progress,
    Undeliverable,
)
from bot.domain.confirmations import Confirmation
from bot.domain.posting import PostingRules
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
from bot.ui.reading.permissions import stays_there

_log = logging.getLogger(__name__)

REMOVE_SECONDS = 30.0
POST_TIMEOUT_SECONDS = 120.0
READ_HISTORY = "Read Message History"
TOO_LARGE = "It's over Discord's size limit here, so I couldn't post it as a file."
FILE_GONE = "Its file was deleted before it could be posted."

Rules = Callable[[int], Awaitable[PostingRules]]  # of a server


async def usual_rules(_: int) -> PostingRules:
    """Return the rules of a server that has set nothing."""
    return PostingRules()


class DiscordDelivery:
    """Tells people about their jobs, with ordinary messages once an interaction's token has expired."""

    def __init__(
        self,
        client: discord.Client,
        catalog: Catalog,
        clock: Clock,
        fit: Fit | None = None,
        rules: Rules = usual_rules,
        drawing: Drawing | None = None,
    ) -> None:
        self._client = client
        self._fit = fit
        self._rules = rules
        self._drawing = drawing
        self._clock = clock
        self._since = clock.now()
        self._names = ToolNames(catalog)
        self._tokens = CardTokens(clock)
        self._cards = CardPoster(client, self._names, self._tokens, clock)
        self._notices = NoticePoster(client, self._names, clock, fit)

    def remember(self, job_id: str, interaction: discord.Interaction[Any]) -> None:
        """Note that the job's card is this interaction's answer, edited by its token while that lives."""
        self._tokens.remember(job_id, interaction)

    async def show_card(self, job: Job, progress: Progress) -> bool:
        """Bring the card up to date. Returns False if that isn't possible now and is to be tried again."""
        return await self._cards.show(job, progress)

    async def remove_card(self, job: Job) -> float | None:
        """Remove the card. Returns in how many seconds to try again, if that isn't possible now."""
        return await self._cards.remove(job)

    async def post_card(self, job: Job, progress: Progress) -> Announcement:
        """Post the job's card as a reply to its photo, without a ping or a sound."""
        return await self._cards.post(job, progress)

    async def find_card(self, job: Job) -> Announcement:
        """Find the card that Discord took as a command's answer, although nobody heard of it."""
        return await self._cards.find(job)

    async def remove_question(self, question: Confirmation) -> bool:
        """Remove the message that asks a question. Returns False if that isn't possible now."""
        request = question.request
        channel = self._client.get_partial_messageable(request.channel_id, guild_id=request.guild_id)
        try:
            async with asyncio.timeout(REMOVE_SECONDS):
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
            async with asyncio.timeout(POST_TIMEOUT_SECONDS):
                said = await self._announce(job, output)
        except DISCORD_ERRORS as error:
            return announcement_of(job, error)
        earlier = job.result_message_id
        if isinstance(said, Posted) and earlier is not None and earlier != said.message_id:
            await self._remove(job, earlier)
        return said

    async def reduce_request(self, job: Job, channel_id: int, message_id: int, *, result: bool) -> bool:
        """Take prompt, files and buttons from the message with which moderators were asked about the job."""
        return await self._notices.reduce_request(job, channel_id, message_id, result=result)

    async def notify(
        self, notice: Notice, channel_id: int | None, job: Job | None, shown: ForModerators | None = None
    ) -> Announcement | ChannelGone:
        """Tell a server's admins something, there or (None) its owner by DM."""
        return await self._notices.post(notice, channel_id, job, shown)

    async def _remove(self, job: Job, message_id: int) -> None:
        try:
            async with asyncio.timeout(REMOVE_SECONDS):
                channel = channel_of(self._client, job, job.result_channel_id)
                await channel.get_partial_message(message_id).delete()
        except DISCORD_ERRORS as error:
            _log.info("Job %s: its earlier message stays: %r", job.id, error, extra={"job": job.id})

    async def _announce(self, job: Job, output: OutputFile | None) -> Announcement:
        if job.private:
            return await self._announce_privately(job, output)
        why = ""
        for target in await self._targets(job):
            try:
                said = await self._announce_in(job, output, target)
            except discord.HTTPException as error:
                # It is gone or closed to us, the thread is locked.
                if outcome_of(error) is not Outcome.NEVER:
                    raise
                said = Undeliverable(str(error))
            if isinstance(said, Posted):
                return said
            why = said.reason
        return await self._announce_in_dm(job, output, why)

    async def _targets(self, job: Job) -> list[Target]:
        """Return where the last word may be posted: results elsewhere if the server wants that, and where
        that can't be, as everything else, in the job's channel."""
        rules = await self._rules(job.guild_id)
        kept = job.card_message_id if rules.keeps_cards else None
        own = Target(None, kept or photo_of(job), keeps_card=rules.keeps_cards)
        if job.state is not JobState.SUCCEEDED:
            return [own]
        if job.in_thread:
            thread = await thread_for(self._client, self._names, job)
            return [own] if thread is None else [thread, own]
        there = job.post_channel_id
        if there in {None, job.channel_id} or stays_there(self._client, job):
            return [own]
        return [Target(there, keeps_card=rules.keeps_cards), own]

    async def _announce_in(
        self, job: Job, output: OutputFile | None, target: Target
    ) -> Posted | Undeliverable:
        with_file = job.state is JobState.SUCCEEDED and output is not None
        missing = missing_there(self._client, job, target.channel_id, file=with_file)
        if missing and missing != [READ_HISTORY]:
            return Undeliverable(f"the bot lacks {', '.join(missing)}")
        if not missing and self._may_be_posted(job):
            found = await self._posted_before(job, target)
            if found is not None:
                return Posted(found, target.channel_id, keeps_card=target.keeps_card)
        above = None if missing else reply_to(job, target.reply_to)
        place = Place(channel_of(self._client, job, target.channel_id), above)
        posted = await self._say(job, output, place)
        return replace(posted, channel_id=target.channel_id, keeps_card=target.keeps_card)

    async def _announce_privately(self, job: Job, output: OutputFile | None) -> Announcement:
        """Tell its person alone: in place of the card while Discord lets us, then by DM."""
        answer = self._tokens.get(job.id)
        # The card of a set says more than one result; one that is shown anew has a card of its own.
        own_card = job.set_id is None or job.posting > 0
        if answer is not None and job.card_message_id is not None and own_card:
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
                return Posted(None, by_dm=True)
            await self._say(job, output, Place(dm, by_dm=True), DEFAULT_LIMIT)
        except (discord.Forbidden, discord.NotFound) as error:
            ensure_final(error)
            return Undeliverable(f"{why}; nor by DM: {error}")
        return Posted(None, by_dm=True)

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
    ) -> Posted:
        if job.state is not JobState.SUCCEEDED:
            return await self._send(job, place, view=ending(job, self._names, by_dm=place.by_dm))
        if output is None:
            return await self._send_link(job, place, FILE_GONE)
        return await self._send_file(job, place, output, limit or self._size_limit(job))

    async def _posted_before(self, job: Job, target: Target) -> int | None:
        try:
            card = job.card_message_id
            since = discord.Object(card) if card else job.created_at - CLOCKS_DIFFER
            channel = channel_of(self._client, job, target.channel_id)
            return await find_posting(channel, self._own_id, job, since=since)
        except (discord.Forbidden, discord.NotFound) as error:
            ensure_final(error)
            return None  # we may not look, or it is gone; the nonce is all there is then

    async def _send_file(self, job: Job, place: Place, output: OutputFile, limit: int) -> Posted:
        rules = await self._rules(job.guild_id)
        showings = Showings(job, output, limit, self._fit, self._drawing, rules)
        for attempt in (showings.whole, showings.alone, showings.smaller):
            showing = await attempt()
            if showing is None:
                continue
            view = result(
                job,
                self._names,
                *showing.names,
                notes=showing.notes,
                disclosure=rules.disclosure,
                by_dm=place.by_dm,
            )
            try:
                return await self._send(job, place, view=view, files=showing.files)
            except discord.HTTPException as error:
                if outcome_of(error) is not Outcome.TOO_LARGE:
                    raise
            finally:
                showing.close()
        there = await asyncio.to_thread(output.path.is_file)
        return await self._send_link(job, place, TOO_LARGE if there else FILE_GONE)

    async def _send_link(self, job: Job, place: Place, why: str) -> Posted:
        said = (await self._rules(job.guild_id)).disclosure
        if can_play(job) and place.answer is None:  # a card can't become an ordinary message
            words = linked_video(job, self._names, why, disclosure=said, by_dm=place.by_dm)
            view = plain_buttons(job, self._names, by_dm=place.by_dm)
            return await self._send(job, place, content=words, view=view)
        view = linked_result(job, self._names, why, disclosure=said, by_dm=place.by_dm)
        return await self._send(job, place, view=view)

    async def _send(self, job: Job, place: Place, **parts: Any) -> Posted:
        mentions = discord.AllowedMentions(
            everyone=False, roles=False, users=[discord.Object(job.user_id)], replied_user=False
        )
        return Posted(await place.send(job.nonce, mentions, **parts))

    @property
    def _own_id(self) -> int:
        return self._client.user.id if self._client.user else 0

    def _size_limit(self, job: Job) -> int:
        guild = self._client.get_guild(job.guild_id)
        return guild.filesize_limit if guild else DEFAULT_LIMIT

    def _may_be_posted(self, job: Job) -> bool:
        ended = job.finished_at or job.changed_at
        if (self._clock.now() - ended).total_seconds() > NONCE_SECONDS:
            return True
        # In an earlier life, of which the database, being a backup taken back, may know nothing.
        return job.created_at < self._since
