"""Post how jobs ended where that is possible: in the channel, in the results channel, or to the person
alone."""

import asyncio
import logging
from datetime import datetime

import discord

from bot.delivery.context import DeliveryContext
from bot.delivery.destination import Place, Target, channel_of, missing_there, photo_message_of, reply_to
from bot.delivery.errors import Outcome, announcement_of, ensure_final, outcome_of, token_expired
from bot.delivery.history import CLOCKS_DIFFER, NONCE_SECONDS, find_message
from bot.delivery.postings.job_posting import Posting, mention_of
from bot.delivery.postings.threads import thread_for
from bot.features.posting import PostingRules
from bot.jobs.delivery import Announcement, Posted, TryLater, Undeliverable
from bot.jobs.models import Job
from bot.languages import speaking
from bot.ui.jobs.results.result import ended_elsewhere
from bot.ui.kit.discord_errors import DISCORD_ERRORS, NO_ACCESS, tolerated
from bot.ui.kit.uploads import DEFAULT_LIMIT
from bot.ui.reading.permissions import READ_MESSAGE_HISTORY, stays_there

_log = logging.getLogger(__name__)

REMOVE_SECONDS = 30.0
POST_TIMEOUT_SECONDS = 120.0
UNTIL_READY_SECONDS = 2.0


class Poster:
    """Posts messages once, however often it is asked for one, as long as its nonce is the same."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._since = context.clock.now()

    async def post(self, posting: Posting) -> Announcement:
        """Post it as a new message. Earlier ones, that say of an unknown outcome, are then removed."""
        try:
            # Each photo may have to be made smaller first.
            async with asyncio.timeout(POST_TIMEOUT_SECONDS * len(posting.jobs)):
                said = await self._post(posting)
        except DISCORD_ERRORS as error:
            return announcement_of(posting.jobs[0], error)
        for job in posting.jobs:
            earlier = job.result_message_id
            if isinstance(said, Posted) and earlier is not None and earlier != said.message_id:
                await self._remove(job, earlier)
        return said

    def size_limit(self, job: Job) -> int:
        """Return how many bytes of files a message in the job's server may have."""
        guild = self._context.client.get_guild(job.guild_id)
        return guild.filesize_limit if guild else DEFAULT_LIMIT

    async def _post(self, posting: Posting) -> Announcement:
        job = posting.jobs[0]
        rules = await self._context.rules(job.guild_id)
        if job.private:
            return await self._post_privately(posting, rules)
        why = ""
        for target in await self._targets(posting, rules):
            try:
                said = await self._post_in(posting, target, rules)
            except discord.HTTPException as error:
                # It is gone or closed to us, the thread is locked.
                if outcome_of(error) is not Outcome.NEVER:
                    raise
                said = Undeliverable(str(error))
            if isinstance(said, Posted):
                return said
            why = said.reason
        return await self._post_in_dm(posting, why, rules)

    async def _targets(self, posting: Posting, rules: PostingRules) -> list[Target]:
        """Return where it may be posted: results elsewhere if the server wants that, and where that can't be,
        as everything else, in the job's channel."""
        job = posting.jobs[0]
        kept = job.card_message_id if rules.keeps_cards else None
        own = Target(None, kept or photo_message_of(job), keeps_card=rules.keeps_cards)
        if not posting.made:
            return [own]
        if job.in_thread:
            client, names = self._context.client, self._context.names
            thread = await thread_for(client, names, job, keeps_card=rules.keeps_cards)
            return [own] if thread is None else [thread, own]
        there = job.post_channel_id
        if there in {None, job.channel_id} or stays_there(self._context.client, job):
            return [own]
        return [Target(there, keeps_card=rules.keeps_cards), own]

    async def _post_in(self, posting: Posting, target: Target, rules: PostingRules) -> Posted | Undeliverable:
        job = posting.jobs[0]
        missing = missing_there(self._context.client, job, target.channel_id, file=posting.has_files)
        if missing and missing != [str(READ_MESSAGE_HISTORY)]:
            return Undeliverable(f"the bot lacks {', '.join(missing)}")
        if not missing and self._may_be_posted(posting):
            found = await self._posted_before(posting, target)
            if found is not None:
                return Posted(found, target.channel_id, keeps_card=target.keeps_card)
        above = None if missing else reply_to(job, target.reply_to)
        place = Place(channel_of(self._context.client, job, target.channel_id), above)
        message_id = await posting.say(place, self.size_limit(job), rules)
        return Posted(message_id, target.channel_id, keeps_card=target.keeps_card)

    async def _post_privately(self, posting: Posting, rules: PostingRules) -> Announcement:
        """Tell its person alone: in place of the card while Discord lets us, then by DM."""
        job = posting.jobs[0]
        answer = self._context.tokens.get(job)
        if answer is not None and job.card_message_id is not None and posting.owns_card:
            place = Place(answer=answer.webhook, card=job.card_message_id)
            try:
                async with answer.turn:
                    answer.spoken = True
                    await posting.say(place, self.size_limit(job), rules)
            except discord.HTTPException as error:
                if not token_expired(error):
                    raise
                self._context.tokens.forget(job)
            else:
                return Posted(None)
        why = "its interaction has expired"  # Untranslated: for logs
        return await self._post_in_dm(posting, why, rules)

    async def _post_in_dm(self, posting: Posting, why: str, rules: PostingRules) -> Announcement:
        """Tell by DM what can't be told where it was asked for. Nothing from an age-restricted channel."""
        job, client = posting.jobs[0], self._context.client
        if client.get_guild(job.guild_id) is None and not client.is_ready():
            return TryLater(UNTIL_READY_SECONDS)  # after a start: Discord has yet to name the bot's servers
        if stays_there(client, job):
            await self._tell_of_end(posting)
            return Undeliverable(f"{why}, and results from there can't be shown elsewhere")
        try:
            dm = await client.create_dm(discord.Object(job.user_id))
            looks = self._may_be_posted(posting)
            if looks and await find_message(dm, client, posting.is_in) is not None:
                return Posted(None, by_dm=True)
            with speaking(await self._context.readers.of_person(job.user_id, job.guild_id)):
                await posting.say(Place(dm, by_dm=True), DEFAULT_LIMIT, rules)
        except NO_ACCESS as error:
            ensure_final(error)
            return Undeliverable(f"{why}; nor by DM: {error}")
        return Posted(None, by_dm=True)

    async def _tell_of_end(self, posting: Posting) -> None:
        """Tell the person by DM that `/jobs` has it, and nothing of what it is."""
        job = posting.jobs[0]
        guild = self._context.client.get_guild(job.guild_id)
        if guild is None:
            return  # removed from there
        try:
            dm = await self._context.client.create_dm(discord.Object(job.user_id))
            with speaking(await self._context.readers.of_person(job.user_id, job.guild_id)):
                said = ended_elsewhere(guild.name)
            await Place(dm, by_dm=True).send(posting.nonce, mention_of(job), view=said)
        except NO_ACCESS as error:
            ensure_final(error)

    async def _posted_before(self, posting: Posting, target: Target) -> int | None:
        job = posting.jobs[0]
        card = job.card_message_id
        since: discord.abc.Snowflake | datetime = (
            discord.Object(card) if card else job.created_at - CLOCKS_DIFFER
        )
        try:
            channel = channel_of(self._context.client, job, target.channel_id)
            return await find_message(channel, self._context.client, posting.is_in, since)
        except NO_ACCESS as error:
            ensure_final(error)
            return None  # we may not look, or it is gone; the nonce is all there is then

    def _may_be_posted(self, posting: Posting) -> bool:
        ended = min(job.finished_at or job.changed_at for job in posting.jobs)
        if (self._context.clock.now() - ended).total_seconds() > NONCE_SECONDS:
            return True
        # In an earlier life, of which the database, being a backup taken back, may know nothing.
        return posting.jobs[0].created_at < self._since

    async def _remove(self, job: Job, message_id: int) -> None:
        with tolerated("Job %s: its earlier message could not be removed", job.id):
            async with asyncio.timeout(REMOVE_SECONDS):
                channel = channel_of(self._context.client, job, job.result_channel_id)
                await channel.get_partial_message(message_id).delete()
