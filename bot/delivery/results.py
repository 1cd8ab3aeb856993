"""Make the messages that say how jobs ended, with their files: what was made, and the photo that it was made
from, as large as Discord takes.
"""

import asyncio
import io
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discord

from bot.delivery.answers import THIS, token_expired
from bot.delivery.posts import (
    Content,
    Recipient,
    Renderer,
    ReplacedAnswers,
    channel_of,
    ensure_final,
    reply_to,
)
from bot.engine.messages import MIN_BEFORE_BYTES, STAGING, STAYS_THERE
from bot.features.posting import PostingRules
from bot.jobs.models import Job, JobState
from bot.jobs.results import EndOfJobs, Part, photo_message_of
from bot.languages import Worded, lazy
from bot.media.kinds import DRAWN, suffix_of, usual_type
from bot.media.photo import Drawing
from bot.media.spool import OutputFile
from bot.posts import NotHere, Post, Refuse, TooMuch
from bot.ui.jobs.more import AFTER_SMALLER, BEFORE_GONE, BEFORE_LEFT_OUT, BEFORE_SMALLER, SPLIT_LABELS
from bot.ui.jobs.result import ShownPhoto, ended_elsewhere, ended_without_result, ending, linked_video, result
from bot.ui.jobs.wording import can_play
from bot.ui.kit.answers import NO_MENTIONS
from bot.ui.kit.host import file_of
from bot.ui.reading.permissions import stays_there
from bot.ui.reading.photo_lookup import BEFORE_FILE, HALVES_FILE, LABELLED_FILE, SMALLER_BEFORE, SMALLER_FILE

_log = logging.getLogger(__name__)

MAX_SPLIT_BYTES = 2 * 1024 * 1024  # of the picture of both
MAX_LABELLED_BYTES = 6 * 1024 * 1024
TOO_LARGE = lazy("It's over Discord's size limit here, so I couldn't post it as a file.")
FILE_GONE = lazy("Its file was deleted before it could be posted.")
EXPIRED = NotHere("")  # the interaction's token, as is usual: nothing for the log
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
ALREADY_THERE = 160004
MAX_THREAD_NAME_CHARACTERS = 100


@dataclass
class Pictures:
    """Files to be posted together, the new one first, and what has to be said of them."""

    files: list[discord.File] = field(default_factory=list[discord.File])
    notes: list[Worded] = field(default_factory=list[Worded])

    @property
    def names(self) -> list[str]:
        return [file.filename for file in self.files]

    def add(self, file: discord.File | None, note: Worded = "") -> None:
        """Add a file, if there is one, and what is to be said of it."""
        self.files += [] if file is None else [file]
        self.notes += [note] if note else []


async def pictures_of(part: Part, room: int, drawing: Drawing, rules: PostingRules) -> Pictures | None:
    """Return what shows the part's output in at most `room` bytes, or None if nothing does.

    A picture that is too large is made smaller. What is shown beside it has what it leaves.
    """
    job, output = part.job, part.output
    if output is None:
        return None
    pictures = Pictures()
    if output.size <= room:
        pictures.add(await _open(output, _name(job.tool, job, output)))
        room -= output.size
    elif output.kind == "image" and room >= MIN_BEFORE_BYTES:
        share = 0 if output.before is None else min(output.before.size, room // 4)
        data = await drawing.fit(output.path, room - share, made=True)
        if data is not None:
            pictures.add(_drawn(data, f"{SMALLER_FILE}{job.tool}", job), AFTER_SMALLER)
            room -= len(data)
    if not pictures.files:
        return None
    if output.kind == "image" and room >= MIN_BEFORE_BYTES:
        for data, what in await _copies(job, output, room, drawing, rules):
            pictures.add(_drawn(data, what, job))
            room -= len(data)
    if output.kind == "image" and job.source is not None:
        pictures.add(*await _before(job, output.before, room, drawing))
    return pictures


async def _copies(
    job: Job, output: OutputFile, room: int, drawing: Drawing, rules: PostingRules
) -> list[tuple[bytes, str]]:
    """Return what the server wants beside a picture: a copy with a label, and a half of both pictures."""
    made: list[tuple[bytes, str]] = []
    if rules.staging_label and job.tool == STAGING:
        label = rules.staging_label, rules.staging_corner
        labelled = await drawing.label(output.path, min(room, MAX_LABELLED_BYTES), *label)
        made += [] if labelled is None else [(labelled, LABELLED_FILE)]
        room -= len(labelled or b"")
    if rules.splits and output.before is not None and room >= MIN_BEFORE_BYTES:
        left, right = map(str, SPLIT_LABELS)
        most = min(room, MAX_SPLIT_BYTES)
        halves = await drawing.split(output.before.path, output.path, most, (left, right))
        made += [] if halves is None else [(halves, HALVES_FILE)]
    return made


async def _before(
    job: Job, before: OutputFile | None, room: int, drawing: Drawing
) -> tuple[discord.File | None, Worded]:
    """Return the photo that a picture was made from within `room` bytes, and what to say of it."""
    if before is None:
        return None, BEFORE_GONE
    if before.content_type in DRAWN and before.size <= room:
        file = await _open(before, _name(BEFORE_FILE, job, before))
        return file, "" if file is not None else BEFORE_GONE
    data = await drawing.fit(before.path, room) if room >= MIN_BEFORE_BYTES else None
    if data is None:
        return None, BEFORE_LEFT_OUT
    return _drawn(data, SMALLER_BEFORE, job), BEFORE_SMALLER if before.size > room else ""


async def _open(file: OutputFile, name: str) -> discord.File | None:
    """Open the file, which the caller closes. None if it can't be read."""
    try:
        return await file_of(file, name)
    except OSError as error:
        _log.warning("%s can't be read: %s", Path(file.path).name, error)
        return None


def _drawn(data: bytes, what: str, job: Job) -> discord.File:
    return discord.File(io.BytesIO(data), f"{what}-{job.id[:8]}.jpg")


def _name(what: str, job: Job, file: OutputFile) -> str:
    kind = file.content_type.partition(";")[0].strip().lower()
    suffix = suffix_of(kind) or suffix_of(usual_type(file.kind))
    # Letters, digits and dashes, as Discord renames everything else and the gallery would not find it.
    return f"{what}-{job.id[:8]}{suffix}"


class ResultMessages(Renderer):
    """Makes the messages that say how jobs ended."""

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
        job, catalog = shown.job, self._context.catalog
        if post.place[0] != "u":
            return Content(ended_without_result(job.user_id), mentions=mention_of(job))
        guild = self._context.client.get_guild(post.guild_id)
        server = "" if guild is None else guild.name
        if stays_there(self._context.client, job):
            return Content(ended_elsewhere(server))
        return Content(ending(shown, catalog, server))

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
        catalog, disclosure, by_dm = self._context.catalog, rules.disclosure_words, post.place[0] == "u"
        photos: dict[str, ShownPhoto] = {}
        for part in shown.parts:
            if (found := pictures.get(part.job.id)) is not None:
                photos[part.job.id] = ShownPhoto(found.names, found.notes)
            elif part.job.state is JobState.SUCCEEDED:
                photos[part.job.id] = ShownPhoto(notes=[await _why_without(part.output)])
        alone = None if shown.job.posted_with_set else photos[shown.job.id]
        # An answer can't become an ordinary message.
        if alone is not None and not alone.files and can_play(shown.job) and post.place[0] != "i":
            return linked_video(shown, catalog, alone.notes[0], disclosure=disclosure, by_dm=by_dm)
        return result(shown, catalog, photos, disclosure=disclosure, by_dm=by_dm), ""

    async def _thread(self, post: Post, job: Job) -> Recipient:
        """Make the thread. It has the id of the message that it is under, so it is found after a restart."""
        above = int(post.place[1:])
        try:
            name = self._context.catalog.title(job.tool)[:MAX_THREAD_NAME_CHARACTERS]
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
