"""Make the messages that say how jobs ended, and find the places in which they stand."""

import asyncio
import logging
from typing import Any

import discord

from bot.delivery.answers import THIS
from bot.delivery.errors import ensure_final, token_expired
from bot.delivery.pictures import Pictures, pictures_of
from bot.delivery.posts import (
    Content,
    DeliveryContext,
    Recipient,
    Refuse,
    Renderer,
    ReplacedAnswers,
    channel_of,
    reply_to,
)
from bot.engine.results import STAYS_THERE
from bot.features.posting import PostingRules
from bot.jobs.models import Job, JobState
from bot.jobs.results import EndOfJobs, photo_message_of
from bot.languages import lazy
from bot.media.spool import OutputFile
from bot.posts import NotHere, Post, TooMuch
from bot.ui.jobs.results.result import (
    ShownPhoto,
    ended_elsewhere,
    ended_without_result,
    ending,
    linked_video,
    result,
)
from bot.ui.jobs.wording import can_play
from bot.ui.kit.responses import NO_MENTIONS
from bot.ui.reading.permissions import stays_there

_log = logging.getLogger(__name__)

TOO_LARGE = lazy("It's over Discord's size limit here, so I couldn't post it as a file.")
FILE_GONE = lazy("Its file was deleted before it could be posted.")
EXPIRED = NotHere("")  # the interaction's token, as is usual: nothing for the log
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
ALREADY_THERE = 160004
MAX_THREAD_NAME_CHARACTERS = 100


class ResultMessages(Renderer):
    """Makes the messages that say how jobs ended."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context

    async def open(self, post: Post, shown: EndOfJobs) -> Recipient:
        """Return the thread for the result, which is made, or the answer that only its person sees."""
        if post.place[0] == "t":
            return await self._thread(post, shown.job)
        job = shown.job
        # The answer of a set says more than one end; a result that is shown again has an answer of its own.
        if shown.complete and (job.set_id is None or job.posting > 0 or job.posted_with_set):
            return Recipient(AnswerPlace(self._context.answers, job), job.user_id)
        raise Refuse(EXPIRED)

    async def message(self, post: Post, shown: EndOfJobs, there: Recipient, room: int) -> Content:
        """Return the message for that place. Raises `Refuse`, with `TooMuch` if others have to be posted."""
        job, client = shown.job, self._context.client
        if not shown.made:
            return self._without(post, shown)
        elsewhere = post.place[0] == "u" or post.place not in {f"c{job.channel_id}", f"i{job.user_id}"}
        if elsewhere and post.place[0] != "t" and stays_there(client, job):
            raise Refuse(STAYS_THERE)
        rules = await self._context.rules(job.guild_id)
        pictures = await self._pictures(shown, room, rules)
        view, words = await self._content(post, shown, pictures, rules)
        files = [file for one in pictures.values() for file in one.files]
        photo = photo_message_of(job) if post.place == f"c{job.channel_id}" else None
        above = reply_to(job.guild_id, job.channel_id, photo)
        notifies = not job.posted_with_set or shown.is_news
        mentions = mention_of(job) if notifies else NO_MENTIONS
        return Content(view, files, mentions, words, above)

    def _without(self, post: Post, shown: EndOfJobs) -> Content:
        """Return to the person what happened and what it cost, and in a channel only that `/jobs` says it."""
        job, names = shown.job, self._context.names
        if post.place[0] != "u":
            return Content(ended_without_result(job.user_id), mentions=mention_of(job))
        guild = self._context.client.get_guild(post.guild_id)
        server = "" if guild is None else guild.name
        if stays_there(self._context.client, job):
            return Content(ended_elsewhere(server))
        return Content(ending(shown, names, server))

    async def _pictures(self, shown: EndOfJobs, room: int, rules: PostingRules) -> dict[str, Pictures]:
        """Return the files that show results, by job, in at most `room` bytes together."""
        filed = [(part, part.output.size) for part in shown.parts if part.output is not None]
        rest = room - sum(size for _, size in filed)
        if len(filed) > 1 and rest < 0:
            raise Refuse(TooMuch())
        # None of several is larger than its share. They are made side by side, as far as there are decoders.
        shares = [room if len(filed) == 1 else size + rest // len(filed) for _, size in filed]
        drawing = self._context.drawing
        made = await asyncio.gather(
            *(
                pictures_of(part, share, drawing, rules)
                for (part, _), share in zip(filed, shares, strict=True)
            )
        )
        return {part.job.id: one for (part, _), one in zip(filed, made, strict=True) if one is not None}

    async def _content(
        self, post: Post, shown: EndOfJobs, pictures: dict[str, Pictures], rules: PostingRules
    ) -> tuple[Any, str]:
        """Return the view and the text of the message, which has no text with Discord's newer components."""
        names, disclosure, by_dm = self._context.names, rules.disclosure_words, post.place[0] == "u"
        photos: dict[str, ShownPhoto] = {}
        for part in shown.parts:
            if (found := pictures.get(part.job.id)) is not None:
                photos[part.job.id] = ShownPhoto(found.names, found.notes)
            elif part.job.state is JobState.SUCCEEDED:
                photos[part.job.id] = ShownPhoto(notes=[await _why_without(part.output)])
        alone = None if shown.job.posted_with_set else photos[shown.job.id]
        # An answer can't become an ordinary message.
        if alone is not None and not alone.files and can_play(shown.job) and post.place[0] != "i":
            return linked_video(shown, names, alone.notes[0], disclosure=disclosure, by_dm=by_dm)
        return result(shown, names, photos, disclosure=disclosure, by_dm=by_dm), ""

    async def _thread(self, post: Post, job: Job) -> Recipient:
        """Make the thread. It has the id of the message that it is under, so it is found after a restart."""
        above = int(post.place[1:])
        try:
            name = self._context.names.title(job.tool)[:MAX_THREAD_NAME_CHARACTERS]
            await channel_of(self._context.client, job).get_partial_message(above).create_thread(name=name)
        except discord.HTTPException as error:
            if error.code != ALREADY_THERE:
                ensure_final(error)
                raise Refuse(NotHere(f"there can't be a thread: {error}")) from error
        except ValueError:  # the server is not known yet, as before the gateway is ready
            raise TimeoutError from None
        return Recipient(self._context.client.get_partial_messageable(above, guild_id=job.guild_id))


class AnswerPlace:
    """The answer that only a job's person sees, in whose place the end is put while Discord lets us."""

    def __init__(self, answers: ReplacedAnswers, job: Job) -> None:
        self._answers, self._job = answers, job

    async def send(self, *, files: Any = (), nonce: str, reference: Any = None, **parts: Any) -> Any:
        """Put a message in the answer's place. That can be repeated, and is seen once."""
        try:
            async with self._answers.replaced(self._job) as hook:
                if hook is not None:
                    return await hook.edit_message(THIS, attachments=files, **parts)
        except discord.HTTPException as error:
            if not token_expired(error):
                raise
        raise Refuse(EXPIRED)


def mention_of(job: Job) -> discord.AllowedMentions:
    """Return that the message notifies the job's requester alone."""
    return discord.AllowedMentions(
        everyone=False, roles=False, users=[discord.Object(job.user_id)], replied_user=False
    )


async def _why_without(output: OutputFile | None) -> str:
    """Say why a result is posted without its file."""
    there = output is not None and await asyncio.to_thread(output.path.is_file)
    return str(TOO_LARGE if there else FILE_GONE)
