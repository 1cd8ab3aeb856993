"""Make the messages of posts: of results with their files, of questions, refusals, the best results, notices.

A message is made for one place, in the language of its readers, with the files that there is room for.
"""

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import discord

from bot.catalog import Catalog
from bot.engine.posts import STAGING, STAYS_THERE, Month, Starred, Told
from bot.jobs.best_results import BEST_ASK, STAR
from bot.jobs.confirm import QUESTION, Confirmation
from bot.jobs.models import Job, JobState
from bot.jobs.results import EndOfJobs, Part, photo_message_of
from bot.languages import ReaderLanguages, Worded, lazy
from bot.media.kinds import DRAWN, suffix_of, usual_type
from bot.media.photo import Drawing
from bot.media.spool import OutputFile
from bot.posts import BEST, MAX_FILES_IN_MESSAGE, MONTH, RESULT, Never, Post, Refuse, TooMuch
from bot.servers.notices import DECIDED_BY, REFUSAL, NoticeKind, wanted_credits
from bot.servers.settings import GuildSettings
from bot.ui.admin.approvals import approval_request, decided, open_files, result_review
from bot.ui.admin.credits import answer_panel
from bot.ui.admin.notices import blocked_panel, notice_panel
from bot.ui.jobs.more import AFTER_SMALLER, BEFORE_GONE, BEFORE_LEFT_OUT, BEFORE_SMALLER, SPLIT_LABELS
from bot.ui.jobs.result import (
    OfMonth,
    ShownPhoto,
    ask_maker,
    best_panel,
    ended_elsewhere,
    ended_without_result,
    ending,
    linked_video,
    month_panel,
    result,
)
from bot.ui.jobs.start import question_panel
from bot.ui.jobs.wording import can_play, link_of
from bot.ui.kit.answers import NO_ACCESS, NO_MENTIONS, AnswerKeeper, ask_button
from bot.ui.kit.forms import file_of
from bot.ui.kit.layout import BAD, Panel, boxed, lines, row, server_line
from bot.ui.reading.permissions import everyone_reads, is_age_restricted, is_manager, stays_there
from bot.ui.reading.pictures import (
    BEFORE_FILE,
    HALVES_FILE,
    LABELLED_FILE,
    SMALLER_BEFORE,
    SMALLER_FILE,
    WIPE_FILE,
    shows_before,
)

_log = logging.getLogger(__name__)


Rules = Callable[[int], Awaitable[GuildSettings]]  # of a server


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """The client, the stores and the settings that the delivery works with."""

    client: discord.Client
    catalog: Catalog
    answers: AnswerKeeper
    rules: Rules
    readers: ReaderLanguages
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a message, whom it notifies, and what it replies to. A panel has no text beside it."""

    view: Panel | discord.ui.View
    files: Sequence[discord.File] = ()
    mentions: discord.AllowedMentions = NO_MENTIONS
    text: str = ""
    reply_to: discord.MessageReference | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """A channel of the server, or what that person alone reads."""

    channel: Any
    person: int | None = None


def reply_to(guild_id: int, channel_id: int, message_id: int | None) -> discord.MessageReference | None:
    """Return what makes a message a reply to that one; deleted, it is replied to by nothing."""
    if message_id is None:
        return None
    return discord.MessageReference(
        message_id=message_id, channel_id=channel_id, guild_id=guild_id, fail_if_not_exists=False
    )


# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
# Said with a 403: trouble of Discord's own; and 0, as its refusals have a code and the page of what stands in
# front of it has none.
_NO_REFUSALS = frozenset({40333, 0})
RETRY_SECONDS = 15.0


def may_pass(error: discord.HTTPException) -> bool:
    """Return whether the error is a reason to make the call again later."""
    if too_large(error):
        return False
    if error.status == 403:
        return error.code in _NO_REFUSALS
    return error.status in {401, 408, 429} or error.status >= 500


def too_large(error: discord.HTTPException) -> bool:
    """Return whether Discord doesn't take so much in one message."""
    return error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.code == 40005


def ensure_final(error: discord.HTTPException) -> None:
    """Raise the error again if it may pass, so that the whole is tried again later."""
    if may_pass(error):
        raise error


TOO_LARGE = lazy("It's over Discord's size limit here, so I couldn't post it as a file.")
FILE_GONE = lazy("Its file was deleted before it could be posted.")
BESIDE_BYTES = 256 * 1024  # that the photo before and copies have beside each result of a set, at least
MAX_BESIDE_BYTES = 3 * 1024 * 1024  # of a picture of both
MIN_BEFORE_BYTES = 48 * 1024  # that a photo before is worth being shown with


# Files to be posted together, the new one first, each with what has to be said of it.
Pictures = list[tuple[discord.File | None, Worded]]


async def pictures_of(part: Part, room: int, drawing: Drawing, rules: GuildSettings) -> Pictures:
    """Return what shows the part's output in at most `room` bytes, if anything does.

    A picture that is too large is made smaller. What is shown beside it has what it leaves.
    """
    job, output = part.job, part.output
    file, note = None, ""
    if output is None:
        return []
    if output.size <= room:
        file = await _open(output, _name(job.tool, job, output))
        room -= output.size
    elif output.kind == "image" and room >= MIN_BEFORE_BYTES:
        share = 0 if output.before is None else min(output.before.size, room // 4)
        data = await drawing.fit(output.path, room - share, made=True)
        if data is not None:
            file, note = _drawn(data, f"{SMALLER_FILE}{job.tool}", job), AFTER_SMALLER
            room -= len(data)
    if file is None:
        return []
    pictures: Pictures = [(file, note)]
    if output.kind == "image" and room >= MIN_BEFORE_BYTES:
        for data, what in await _copies(job, output, room, drawing, rules):
            pictures.append((_drawn(data, what, job), ""))
            room -= len(data)
    if output.kind == "image" and job.source is not None and part.is_compared:
        pictures.append(await _before(job, output.before, room, drawing))
    return pictures


async def _copies(
    job: Job, output: OutputFile, room: int, drawing: Drawing, rules: GuildSettings
) -> list[tuple[bytes, str]]:
    """Return what the server wants beside a picture: a copy with a label, and a half of both pictures."""
    made: list[tuple[bytes, str]] = []
    if rules.staging_label and job.tool == STAGING:
        label = rules.staging_label, rules.staging_corner
        labelled = await drawing.label(output.path, min(room, 6 * 1024 * 1024), *label)
        made += [] if labelled is None else [(labelled, LABELLED_FILE)]
        room -= len(labelled or b"")
    if (rules.splits or rules.wipes) and output.before is not None and room >= MIN_BEFORE_BYTES:
        left, right = map(str, SPLIT_LABELS)
        most, both = min(room, MAX_BESIDE_BYTES), (output.before.path, output.path)
        split = await drawing.split(*both, most, (left, right), moves=rules.wipes)
        made += [] if split is None else [(split, WIPE_FILE if rules.wipes else HALVES_FILE)]
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
    return discord.File(io.BytesIO(data), f"{what}-{job.id[:8]}.{'webp' if what == WIPE_FILE else 'jpg'}")


def _name(what: str, job: Job, file: OutputFile) -> str:
    kind = file.content_type.partition(";")[0].strip().lower()
    suffix = suffix_of(kind) or suffix_of(usual_type(file.kind))
    # Letters, digits and dashes, as Discord renames everything else and the gallery would not find it.
    return f"{what}-{job.id[:8]}{suffix}"


async def end_of_jobs(
    context: DeliveryContext, post: Post, shown: EndOfJobs, _there: Recipient, room: int
) -> Content:
    """Say how jobs ended. Raises `Refuse`, with `TooMuch` if others have to be posted in another message."""
    job, stays, by_dm = shown.job, stays_there(context.client, shown.job), post.place[0] == "u"
    if not shown.made:
        # To the person what happened and what it cost, and in a channel only that `/jobs` says it.
        server = _server_of(context, post)
        if not by_dm:
            return Content(ended_without_result(job.user_id), mentions=_only([discord.Object(job.user_id)]))
        return Content(ended_elsewhere(server) if stays else ending(shown, context.catalog, server))
    elsewhere = by_dm or post.place not in {f"c{job.channel_id}", f"i{job.user_id}"}
    if elsewhere and post.place[0] != "t" and stays:
        raise Refuse(STAYS_THERE)
    rules = await context.rules(job.guild_id)
    pictures = await _pictures(context, shown, room, rules)
    photos: dict[str, ShownPhoto] = {}
    for part in shown.parts:
        if found := pictures.get(part.job.id):
            names = [file.filename for file, _ in found if file is not None]
            photos[part.job.id] = ShownPhoto(names, [note for _, note in found if note])
        elif part.job.state is JobState.SUCCEEDED:
            there = part.output is not None and await asyncio.to_thread(part.output.path.is_file)
            photos[part.job.id] = ShownPhoto(notes=[str(TOO_LARGE if there else FILE_GONE)])
    view: Panel | discord.ui.View
    alone, words, disclosure = photos.get(job.id), "", rules.disclosure_words
    # A text beside a picture needs the older components. An answer can't become an ordinary message.
    plays = can_play(job) and not job.posted_with_set and post.place[0] != "i"
    if plays and alone is not None and not alone.files:
        view, words = linked_video(shown, context.catalog, alone.notes[0], disclosure=disclosure, by_dm=by_dm)
    else:
        view = result(shown, context.catalog, photos, disclosure=disclosure, by_dm=by_dm)
    photo = photo_message_of(job) if post.place == f"c{job.channel_id}" else None
    notifies = not job.posted_with_set or shown.is_news
    return Content(
        view,
        [file for found in pictures.values() for file, _ in found if file is not None],
        _only([discord.Object(job.user_id)]) if notifies else NO_MENTIONS,
        words,
        reply_to(job.guild_id, job.channel_id, photo),
    )


async def _pictures(
    context: DeliveryContext, shown: EndOfJobs, room: int, rules: GuildSettings
) -> dict[str, Pictures]:
    """Return the files that show results, by job, in at most `room` bytes together."""
    filed = [(part, part.output.size) for part in shown.parts if part.output is not None]
    rest = room - sum(size for _, size in filed)
    beside = sum(part.job.source is not None and part.is_compared for part, _ in filed)
    if len(filed) > 1 and rest < beside * BESIDE_BYTES:
        raise Refuse(TooMuch(unsent=True))
    # None of several is larger than its share. They are made side by side, as far as there are decoders.
    shares = [room if len(filed) == 1 else size + rest // len(filed) for _, size in filed]
    made = await asyncio.gather(
        *(
            pictures_of(part, share, context.drawing, rules)
            for (part, _), share in zip(filed, shares, strict=True)
        )
    )
    return {part.job.id: one for (part, _), one in zip(filed, made, strict=True)}


def _only(called: Sequence[discord.Role | discord.Object]) -> discord.AllowedMentions:
    """Return that the message notifies these alone."""
    return discord.AllowedMentions(
        everyone=False,
        users=[one for one in called if not isinstance(one, discord.Role)],
        roles=[one for one in called if isinstance(one, discord.Role)],
        replied_user=False,
    )


def _server_of(context: DeliveryContext, post: Post) -> str:
    guild = context.client.get_guild(post.guild_id)
    return "" if guild is None else guild.name


async def question(
    context: DeliveryContext, post: Post, shown: Confirmation, _there: Recipient, _room: int
) -> Content:
    """Ask under a photo, as a silent reply."""
    above = reply_to(post.guild_id, shown.channel_id, shown.origin_message_id)
    return Content(question_panel(shown, context.catalog), reply_to=above, silent=True)


async def refusal(context: DeliveryContext, post: Post, _shown: Any, there: Recipient, _room: int) -> Content:
    """Say by direct message why nothing was started, and in a channel only that."""
    told = post.details
    if there.person is None:
        member, above = int(told["user"]), reply_to(post.guild_id, told["channel"], told["message"])
        panel = boxed(
            BAD,
            lazy(
                "{member}, nothing was started, and your DMs are closed, so I can't tell you why. Run "
                "the tool from the photo's menu (Apps) to see the reason."
            ).using(member=f"<@{member}>"),
        )
        return Content(panel, mentions=_only([discord.Object(member)]), reply_to=above)
    panel, wanted = (
        boxed(BAD, lines(told["words"], server_line(_server_of(context, post)))),
        wanted_credits(post),
    )
    if wanted is not None:
        panel.add_item(row(ask_button(wanted)))
    return Content(panel)


async def best(
    context: DeliveryContext, post: Post, starred: Starred, there: Recipient, room: int
) -> Content:
    """Return the result with its files as they were posted, or the question whether it may be shown."""
    job, rules = starred
    client, channel_id, message_id = (
        context.client,
        int(post.details["channel"]),
        int(post.details["message"]),
    )
    link = link_of(post.guild_id, channel_id, message_id)
    if post.kind == BEST_ASK:
        server = _server_of(context, post)
        return Content(ask_maker(job, link, server, rules.best_channel_id or 0, context.catalog))
    guild = client.get_guild(post.guild_id)
    if guild is not None and not _may_be_there(client, guild, channel_id, job, there.channel.id):
        _log.info("Server %d: a result stays in its channel, which is not for everyone", post.guild_id)
        raise Refuse(Never())
    message = await _fetched(client, post.guild_id, channel_id, message_id)
    if message is None:
        raise Refuse(Never())
    media = [one for one in _media(message.components) if not shows_before(one.media.url)][
        :MAX_FILES_IN_MESSAGE
    ]
    files = await _files(client, media, room) if room > 0 else []
    return Content(
        best_panel(job, link, context.catalog, rules, list(zip(files, media, strict=False))), files
    )


async def _fetched(
    client: discord.Client, guild_id: int, channel_id: int, message_id: int
) -> discord.Message | None:
    """Return the message, or None if it is gone or can't be read."""
    channel = client.get_partial_messageable(channel_id, guild_id=guild_id)
    try:
        return await channel.get_partial_message(message_id).fetch()
    except NO_ACCESS as error:
        ensure_final(error)
        return None


async def month(context: DeliveryContext, post: Post, shown: Month, there: Recipient, room: int) -> Content:
    """Return the results of a month with the most stars, as they are shown in the channel for the best."""
    client, counted = context.client, list[tuple[int, Post, Job]]()
    for best, job in shown.results:
        original = await _fetched(client, post.guild_id, int(best.details["channel"]), int(best.key))
        if original is not None:
            stars = [one.count for one in original.reactions if str(one.emoji) == STAR]
            counted.append((sum(stars), best, job))
    counted.sort(key=lambda one: -one[0])
    chosen = list[OfMonth]()
    for stars, best, job in counted:
        if len(chosen) == MAX_FILES_IN_MESSAGE:
            break
        message = await _fetched(client, post.guild_id, there.channel.id, best.message_id or 0)
        if message is not None:  # moderators may have removed it there
            link = link_of(post.guild_id, int(best.details["channel"]), int(best.key))
            picture = await _picture(context, message, job, room // MAX_FILES_IN_MESSAGE)
            chosen.append(OfMonth(job, link, stars, picture))
    if not chosen and post.message_id is None:
        raise Refuse(Never())
    chosen.sort(key=lambda one: one.picture is None)  # pictures have the numbers of their lines
    first = date.fromisoformat(f"{post.key}-01")
    panel = month_panel(first, shown.made, chosen, context.catalog, shown.rules.disclosure_words)
    return Content(panel, [one.picture[0] for one in chosen if one.picture is not None])


async def _picture(
    context: DeliveryContext, message: discord.Message, job: Job, room: int
) -> tuple[discord.File, discord.MediaGalleryItem] | None:
    """Return the first picture of a message in at most `room` bytes, and as what it is shown there."""
    media = next(_media(message.components), None)
    if media is None or room < MIN_BEFORE_BYTES:
        return None
    try:
        data = await context.client.http.get_from_cdn(media.media.url)
    except NO_ACCESS:
        return None
    name = _file_name(media)
    if len(data) > room:
        with TemporaryDirectory(prefix="studii-month-") as folder:
            path = Path(folder, job.id)
            await asyncio.to_thread(path.write_bytes, data)
            data = await context.drawing.fit(path, room, made=True)
        name = str(PurePosixPath(name).with_suffix(".jpg"))
    return None if data is None else (discord.File(io.BytesIO(data), name), media)


def _may_be_there(
    client: discord.Client, guild: discord.Guild, channel_id: int, job: Job, best_channel_id: int
) -> bool:
    """Return whether all who see the channel for the best may see what was posted in the other one."""
    there = guild.get_channel_or_thread(best_channel_id)
    # A thread that was archived is in no cache; results in threads are asked for in their channel.
    here = guild.get_channel_or_thread(channel_id) or guild.get_channel_or_thread(job.channel_id)
    age_restricted = stays_there(client, job) or bool(is_age_restricted(here))
    if age_restricted and not is_age_restricted(there):
        return False
    known = None if here is None else here.id
    return everyone_reads(guild, known) or not everyone_reads(guild, best_channel_id)


async def _files(
    client: discord.Client, media: list[discord.MediaGalleryItem], room: int
) -> list[discord.File]:
    """Read the files, as they were posted, as long as a message has room for them. Raises `Refuse`."""
    files: list[discord.File] = []
    for one in media:
        try:
            data = await client.http.get_from_cdn(one.media.url)  # discord.py gives the item no way to it
        except NO_ACCESS as error:
            raise Refuse(Never("its file is gone")) from error
        room -= len(data)
        if room < 0:
            break
        files.append(discord.File(io.BytesIO(data), _file_name(one)))
    return files


def _file_name(media: discord.MediaGalleryItem) -> str:
    return media.media.url.partition("?")[0].rpartition("/")[2].removeprefix("SPOILER_")


def _media(components: Iterable[Any]) -> Iterator[discord.MediaGalleryItem]:
    for component in components:
        if isinstance(component, discord.MediaGalleryComponent):
            yield from component.items
        yield from _media(getattr(component, "children", ()))


async def notice(context: DeliveryContext, post: Post, told: Told, there: Recipient, room: int) -> Content:
    """Return the message of a notice."""
    catalog, guild = context.catalog, context.client.get_guild(post.guild_id)
    server, job = _server_of(context, post), told.job
    # Nothing of what the job was asked for with may be shown elsewhere.
    known = None if there.person is not None else context.client.get_channel(there.channel.id)
    hidden = job is not None and stays_there(context.client, job) and not is_age_restricted(known)
    match NoticeKind(post.kind):
        case NoticeKind.APPROVAL | NoticeKind.REVIEW as kind if job is not None:
            result = kind is NoticeKind.REVIEW
            if told.shown is None:
                by, jobs = post.details.get(DECIDED_BY), told.together or [job]
                return Content(decided(jobs, catalog, result=result, by=by, hidden=hidden))
            # As much of the files as there is room for.
            shown = replace(told.shown, photos=(), result=None) if hidden else told.shown
            files = await open_files(shown, max(0, room), context.drawing)
            view = (
                result_review(job, catalog, files, hidden=hidden)
                if result
                else approval_request(shown, catalog, files, hidden=hidden)
            )
            return Content(view, files)
        case NoticeKind.BLOCKED:
            return Content(blocked_panel(post.details, server))
        case NoticeKind.ENDED:
            return Content(ended_elsewhere(server))
        case NoticeKind.CREDITS_ANSWER:
            member = discord.Object(int(post.details.get("user") or 0), type=discord.User)
            return Content(answer_panel(post.details, catalog, server), mentions=_only([member]))
        case _:
            by_dm = there.person is not None and guild is not None
            called = [] if by_dm or guild is None else _called(post, guild)
            panel = notice_panel(post, catalog, job, server if by_dm else None, hidden=hidden, called=called)
            return Content(panel, mentions=_only(called))


def _called(notice: Post, guild: discord.Guild) -> list[discord.Role | discord.Object]:
    """Return the roles with Manage Server, if those are to read the notice where a member asked.

    The owner too, where Discord notifies no one of these roles.
    """
    if notice.kind != NoticeKind.CREDITS_ASKED or not notice.details.get("in_place"):
        return []
    own = [role for role in guild.roles if not (role.is_default() or role.managed)]
    named = [one for one in own if is_manager(one.permissions)]
    called: list[discord.Role | discord.Object] = [*named[-5:]]  # the highest
    if guild.owner_id is not None and not any(role.mentionable for role in named):
        called.append(discord.Object(guild.owner_id, type=discord.User))
    return called


# What makes the message of a post for that place, with at most `room` bytes of files; without room with none.
# It raises `Refuse` if that may not stand there.
MESSAGES: Mapping[str, Callable[[DeliveryContext, Post, Any, Recipient, int], Awaitable[Content]]] = {
    **dict.fromkeys(NoticeKind, notice),
    RESULT: end_of_jobs,
    QUESTION: question,
    REFUSAL: refusal,
    BEST: best,
    BEST_ASK: best,
    MONTH: month,
}
