"""What can be done with a result: its buttons, and for one person alone *More…*, *Full size* and *Delete*."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import discord
from discord import MediaGalleryItem, ui

from bot.catalog import Catalog, SourceRule, Tool
from bot.db import Database
from bot.errors import Refused
from bot.jobs import queries, thumbnails
from bot.jobs.actions import number_in_set
from bot.jobs.best_results import result_of
from bot.jobs.models import FORGOTTEN_MEMBER, Job
from bot.languages import Message, Worded, gettext as _, lazy, pgettext, plazy
from bot.servers.settings import of as rules_of
from bot.ui.jobs.progress import JOB_GONE, again_button, edit, job_for, part_name, use_in, vary
from bot.ui.jobs.wording import ALT_LENGTH, alt_words, link_words
from bot.ui.kit.answers import DISCORD_ERRORS, Host, acknowledge, answer
from bot.ui.kit.layout import (
    NEUTRAL,
    QUIET,
    Panel,
    Piece,
    boxed,
    lines,
    named_value,
    row,
    shortened,
    small,
    text,
)
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import is_moderator, manages, server_of
from bot.ui.reading.pictures import (
    BEFORE_FILE,
    HALVES_FILE,
    LABELLED_FILE,
    SMALLER_FILE,
    WIPE_FILE,
    is_before,
    is_smaller,
    shown_before,
    shown_of,
)
from bot.ui.styles import save_as_style

# The pictures: the result, and what stands beside it to compare with

AFTER_SMALLER = lazy("Shown smaller than it was made, because Discord has a size limit here.")
BEFORE_SMALLER = lazy("The original photo is shown smaller, because Discord has a size limit here.")
BEFORE_LEFT_OUT = lazy("The original photo isn't shown, because Discord has a size limit here.")
BEFORE_GONE = lazy("The original photo has been deleted, so it isn't shown.")
# What is which in the gallery, in which Discord draws no captions.
_AFTER = plazy("title", "After")
_BESIDE = {
    HALVES_FILE: (plazy("title", "Split"), lazy("Before on the left, after on the right")),
    WIPE_FILE: (plazy("title", "Wipe"), lazy("A moving picture, from before to after and back")),
    LABELLED_FILE: (
        plazy("title", "Labelled"),
        lazy("The result with a label that says that it is staged"),
    ),
    BEFORE_FILE: (plazy("title", "Before"), lazy("Before: the original photo")),
}
_CAPTION = re.compile(r"\*\*[0-9]+\.\*\* ")
SPLIT_LABELS = plazy("drawn on a picture", "Before"), plazy("drawn on a picture", "After")


def gallery(job: Job, catalog: Catalog, addresses: Sequence[str]) -> ui.MediaGallery[Any]:
    """Return the pictures at these addresses: the result, and those shown beside it to compare with."""
    alt = alt_words(catalog, job)
    # Translators: for screen readers; the description names the tool and what was chosen.
    after = _("After: {description}", description=alt) if len(addresses) > 1 else alt
    media = [
        MediaGalleryItem(one, description=shortened(words, ALT_LENGTH), spoiler=job.hidden)
        for one in in_order(addresses)
        for words in [str(shown_as(file_name_of(one), after)[1])]
    ]
    return ui.MediaGallery(*media)


def file_name_of(address: str) -> str:
    """Return the name of the file at an address, also at one of a message's own files."""
    return PurePosixPath(urlsplit(address.replace("attachment://", "/")).path).name


def shown_as(name: str, after: Worded = "") -> tuple[Message, Worded]:
    """Return what a picture is called, and its description: that of the result is `after`."""
    return next((said for what, said in _BESIDE.items() if name.startswith(f"{what}-")), (_AFTER, after))


def in_order(addresses: Sequence[str]) -> list[str]:
    """Return the pictures as they are shown: a copy that says that it is staged comes first."""
    return sorted(addresses, key=lambda one: not file_name_of(one).startswith(f"{LABELLED_FILE}-"))


def order_words(names: Sequence[str]) -> str:
    """Return `1 After · 2 Before`; empty where the result is alone."""
    named = [shown_as(name)[0] for name in in_order(names)]
    return " · ".join(f"{number} {name}" for number, name in enumerate(named, 1)) if len(named) > 1 else ""


def caption_of(place: int) -> str:
    """Return how the line above a photo begins."""
    return f"**{place}.**"


# The buttons

DELETE, DANGER = plazy("button", "Delete"), discord.ButtonStyle.danger
ANOTHERS_RESULT = lazy(
    "Only the person who asked for this, or a moderator (Manage Messages or Manage Server), can delete it."
)
# The first line of a result or an ending names its member, in any language; see `bot.ui.jobs.result`.
_ADDRESSED = re.compile(r"[^\n]*?<@([0-9]+)>")


@button("full:{job_id}-{posting}", label=plazy("button", "Full size"))
async def full_size(press: Press, job_id: Id, posting: int) -> None:
    """Answer with a link to the result as it was made. Links that stand in a message stop working in a day.

    Discord has just signed those of the message's own files. Studii has what is shown smaller.
    """
    interaction, host = press.interaction, press.host
    job = await job_for(interaction, host.resources, job_id)
    shown = next(iter(shown_of(interaction.message, job)), None)
    if shown is None or file_name_of(shown).startswith(SMALLER_FILE):
        shown = await host.resources.fresh_link(job)
    await answer(interaction, boxed(NEUTRAL, link_words(replace(job, output_url=shown))))


@button("more:{job_id}-{posting}", label=plazy("button", "More…"))
async def more(press: Press, job_id: Id, posting: int) -> None:
    """Show the presser alone what else they can do with the result."""
    job = await press.host.resources.db.read(queries.get, job_id)
    if job is None and _addressed_to(press.interaction.message) == press.interaction.user.id:
        await _delete(press, job_id)  # nothing else is left to do
        return
    await _offer(press, await job_for(press.interaction, press.host.resources, job_id))


@button("set:pick:{set_id}:{number}")
async def pick(press: Press, set_id: Id, number: int) -> None:
    """Show the chosen picture of a set to who chose it, with the buttons that a single result has."""
    job = await job_for(press.interaction, press.host.resources, press.values[0])
    if job.set_id != set_id:
        raise Refused(JOB_GONE)
    await _offer(press, job, await press.host.resources.db.read(queries.of_set, set_id))


@button("staged:{job_id}-{posting}", label=plazy("button", "For a listing"))
async def staged(press: Press, job_id: Id, posting: int) -> None:
    """Show the presser what to write beside the picture in a listing."""
    before = shown_before(press.interaction.message)
    if before is None:
        raise Refused(
            lazy(
                "This message doesn't show the original photo. Run the tool again on the photo. "
                "Nothing was charged."
            )
        )
    job = await press.host.resources.db.read(queries.get, job_id)
    if job is not None and await _is_of_a_result(job, press.host):
        raise Refused(
            lazy(
                "The photo before is itself a result, so it isn't unaltered. Run the tool on the original "
                "photo. Nothing was charged."
            )
        )
    rules = await press.host.resources.db.read(rules_of, server_of(press.interaction))
    label = shortened(rules.staging_label or _("Virtually staged"), 80).replace("`", "'")
    link = f"[{_('your link')}]"
    # As listings name it; see California's Business and Professions Code, section 10140.8.
    # Translators: the label is the server's own, usually “Virtually staged”; the link is “[your link]”.
    words = _(
        "{label}: this image has been digitally altered with AI. Original, unaltered image: {link}",
        label=label,
        link=link,
    )
    # Translators: {link} is “[your link]”.
    replace_link = _(
        "Put the original photo where everyone can open it, and write its address in place of {link}.",
        link=link,
    )
    advice = _("This isn't legal advice: the rules of your country or listing service may ask for more.")
    shown = (
        lazy(
            "The button opens the photo smaller than it was sent (re-encoded), because Discord "
            "has a size limit here."
        )
        if is_smaller(before)
        else lazy("The button opens the photo as it was sent, without its metadata.")
    )
    download = ui.Button[Any](label=pgettext("button", "Download original photo"), url=before.url)
    panel = boxed(
        NEUTRAL,
        lines(f"### 🏷️ {_('For a listing')}", _("Copy this, and put it beside the staged picture:")),
        f"```\n{words}\n```",
        row(download),
        lines(replace_link, small(shown), small(advice)),
    )
    await answer(press.interaction, panel)


@button("delete:{job_id}-{posting}", label=DELETE)
async def delete(press: Press, job_id: Id, posting: int) -> None:
    """Delete the message that the button stands under."""
    await _delete(press, job_id)


@button("set:delete:{set_id}", label=DELETE)
async def delete_set(press: Press, set_id: Id) -> None:
    """Delete the message that the button stands under."""
    await _delete(press, set_id, several=True)


@button("drop:{job_id}[:{message_id}]", label=DELETE)
async def drop(press: Press, job_id: Id, message_id: int | None = None) -> None:
    """Ask whether to delete a result: the whole message, or the picture of one job of a set."""
    await answer(press.interaction, _question(job_id, message_id))


@button("dropped:{job_id}[:{message_id}]", label=DELETE, style=DANGER)
async def dropped(press: Press, job_id: Id, message_id: int | None = None) -> None:
    """Delete what the presser was asked about."""
    interaction, db = press.interaction, press.host.resources.db
    await acknowledge(interaction)
    job = await db.read(queries.get, job_id)
    if job is not None and job.guild_id != interaction.guild_id:
        raise Refused(JOB_GONE)
    # Who may delete what the bot has erased was seen before the question.
    known = job is not None and job.user_id not in {FORGOTTEN_MEMBER, interaction.user.id}
    if known and not is_moderator(interaction.permissions):
        raise Refused(ANOTHERS_RESULT)
    where = None if message_id is None else (interaction.channel_id or 0, message_id)
    await delete_posted(
        interaction,
        db,
        where,
        job,
        gone=lazy("That was already deleted."),
        out_of_reach=lazy("I can't change that message any more. Ask a moderator to delete it."),
    )
    said = lazy("Deleted. What it cost stays in the ledger.")
    await interaction.edit_original_response(view=boxed(QUIET, said))


def making_buttons(job: Job, tool: Tool | None) -> list[ui.Button[Any]]:
    """Return the buttons that make another one like it, and the one that opens it."""
    buttons = [again_button(job)]
    if tool is not None and (tool.inputs or tool.source is not SourceRule.NONE):
        buttons.append(edit.of(job.id, job.posting))
    return [*buttons, full_size.of(job.id, job.posting)]


def result_buttons(job: Job, tool: Tool | None, *, by_dm: bool) -> list[ui.Button[Any]]:
    """Return the buttons under the result of a job that is alone. No job can be started in a DM."""
    remove = delete.of(job.id, job.posting)
    if by_dm:
        return [full_size.of(job.id, job.posting), remove]
    buttons = [*making_buttons(job, tool), more.of(job.id, job.posting)]
    # Where no one else sees it, it is deleted without a question.
    return [*buttons, remove] if job.private else buttons


async def _offer(press: Press, job: Job, whole: Sequence[Job] = ()) -> None:
    """Answer with the pictures of the job that are in the message, and with what the person may do.

    `whole`: the set that the message shows, and in which the person chose the job.
    """
    interaction, message, alone = press.interaction, press.interaction.message, not whole
    catalog = press.host.catalog
    tool, addresses = catalog.tools.get(job.tool), shown_of(message, job)
    files = [file_name_of(one) for one in addresses]
    title = catalog.title(job.tool)
    for number, one in enumerate(whole, 1):
        if one.id == job.id:
            title = named_value(title, f"{number}. {part_name(one, whole, catalog)}")
    buttons = list[Piece]()
    if addresses and job.output_kind != "video":
        buttons.append(use_in.of(job.id, job.posting))
    if tool is not None:
        buttons.append(vary.of(job.id, job.posting))
    if tool is not None and tool.inputs and (job.user_id == interaction.user.id or manages(interaction)):
        buttons.append(save_as_style.of(job.id, job.posting))
    if all(any(one.startswith(beside) for one in files) for beside in (LABELLED_FILE, BEFORE_FILE)):
        buttons.append(staged.of(job.id, job.posting))
    if message is not None and not message.flags.ephemeral and _may_delete(interaction, job):
        buttons.append(drop.of(job.id, message.id if alone else None))
    if alone and not buttons:
        raise Refused(lazy("There's nothing more that you can do with this result."))
    rows = [row(*making_buttons(job, tool))] * (not alone) + [row(*buttons)] * bool(buttons)
    pictures: list[Piece] = [gallery(job, catalog, addresses)] if addresses else []
    await answer(interaction, Panel(text(f"### {catalog.emoji(job.tool)} {title}"), *pictures, *rows))


async def _delete(press: Press, which: str, *, several: bool = False) -> None:
    """Delete the pressed message where no one else sees it; elsewhere ask, if the person may delete it.

    `several`: it shows the results of that set.
    """
    interaction, message, db = press.interaction, press.interaction.message, press.host.resources.db
    if message is not None and interaction.guild_id is not None and not message.flags.ephemeral:
        found = await db.read(queries.of_set, which) if several else [await db.read(queries.get, which)]
        job = next(iter(found), None)
        if not _may_delete(interaction, job):
            raise Refused(ANOTHERS_RESULT)
        job_id = which if job is None else job.id
        await answer(interaction, _question(job_id, message.id, several=several))
        return
    await acknowledge(interaction)
    with suppress(discord.NotFound):  # a second click: the message is gone
        await interaction.delete_original_response()
    await db.write(thumbnails.drop_own, interaction.user.id, which)


def _question(job_id: str, message_id: int | None, *, several: bool = False) -> Panel:
    said = lazy("Delete this result for everyone? Its cost stays in the ledger.")
    if message_id is None:
        said = lazy("Delete this picture for everyone? Its cost stays in the ledger.")
    elif several:
        said = lazy("Delete this message with all its results for everyone? Their cost stays in the ledger.")
    return boxed(QUIET, said, row(dropped.of(job_id, message_id)))


def _may_delete(interaction: discord.Interaction, job: Job | None) -> bool:
    """Return whether the message's jobs are the person's own, or they are a moderator here."""
    of_here = job is not None and job.guild_id == interaction.guild_id
    whose = job.user_id if job is not None and of_here else FORGOTTEN_MEMBER
    if whose == FORGOTTEN_MEMBER:  # the bot has erased it; the message still says whose it is
        whose = _addressed_to(interaction.message)
    return whose == interaction.user.id or is_moderator(interaction.permissions)


def _addressed_to(message: discord.Message | None) -> int:
    """Return the member whom a result or an ending addresses."""
    if message is None:
        return FORGOTTEN_MEMBER
    texts = (one.content for one in message.components if isinstance(one, discord.TextDisplay))
    found = _ADDRESSED.match(next(texts, message.content))
    return int(found[1]) if found else FORGOTTEN_MEMBER


async def _is_of_a_result(job: Job, host: Host) -> bool:
    """Return whether the job's photo is a picture that another job made, not the photo beside it."""
    source = job.source
    if source is None or source.message_id is None or is_before(source):
        return False
    return await host.resources.db.read(result_of, job.guild_id, source.message_id) is not None


# Deleting a message, or one picture of a message that shows several of a set


async def delete_posted(
    interaction: discord.Interaction,
    db: Database,
    where: tuple[int, int] | None,
    job: Job | None,
    *,
    gone: Worded,
    out_of_reach: Worded,
) -> None:
    """Delete the message with that channel and id, or (None) the job's picture from its set's message.

    Raises `Refused` with `gone`, or `out_of_reach` where the bot lacks a permission, or if Discord fails.
    """
    client, there = interaction.client, False
    try:
        if where is not None:
            channel_id, message_id = where
            channel = client.get_partial_messageable(channel_id, guild_id=interaction.guild_id)
            await channel.get_partial_message(message_id).delete()
            await db.write(thumbnails.drop, await db.read(thumbnails.shown_in, [message_id]))
            return
        there = job is not None and await remove_picture(client, job, await db.read(number_in_set, job.id))
    except discord.NotFound:
        pass
    except discord.Forbidden:
        raise Refused(out_of_reach) from None
    except DISCORD_ERRORS as error:
        raise Refused(lazy("Discord didn't delete it, or didn't answer. Try again in a moment.")) from error
    if job is None or not there:
        raise Refused(gone)
    await db.write(thumbnails.drop, [job.id])


async def remove_picture(client: discord.Client, job: Job, number: int) -> bool:
    """Remove the job's picture, the one with that number in its set, and its files from their message.

    A message that shows no other is deleted. Return False if the picture isn't there.
    """
    if job.result_message_id is None:
        return False
    channel_id = job.result_channel_id or job.channel_id
    channel = client.get_partial_messageable(channel_id, guild_id=job.guild_id)
    try:
        return await _remove(await channel.fetch_message(job.result_message_id), job, number)
    except discord.HTTPException as error:
        # The files of another one are gone if it was removed meanwhile.
        if error.status != 400:
            raise
        return await _remove(await channel.fetch_message(job.result_message_id), job, number)


async def _remove(message: discord.Message, job: Job, number: int) -> bool:
    view = ui.LayoutView.from_message(message, timeout=None)
    view.stop()  # discord.py keeps nothing of it
    children = list(view.children)
    texts = [one.content if isinstance(one, ui.TextDisplay) else "" for one in children]
    at = next((place for place, said in enumerate(texts) if said.startswith(caption_of(number))), None)
    if at is None:
        return False
    following = children[at + 1 : at + 2]
    for one in [children[at], *(one for one in following if isinstance(one, ui.MediaGallery))]:
        view.remove_item(one)
    if not any(_CAPTION.match(said) for place, said in enumerate(texts) if place != at):
        await message.delete()
        return True
    for menu in view.walk_children():
        if isinstance(menu, ui.Select) and menu.custom_id.startswith("studii:set:pick:"):
            menu.options = [option for option in menu.options if option.value != job.id]
    await message.edit(view=view, attachments=_files_of(view, message))
    return True


def _files_of(view: ui.LayoutView, message: discord.Message) -> list[Any]:
    """Return the files that the view shows, which the message keeps, and name them in the view."""
    by_name = {one.filename: one.id for one in message.attachments}
    kept: list[Any] = []
    for one in view.children:
        if not isinstance(one, ui.MediaGallery):
            continue
        for item in one.items:
            name = file_name_of(item.media.url)
            attachment_id = item.media.attachment_id or by_name.get(name)
            if attachment_id is not None:
                # A file that the message keeps, as discord.py takes it.
                kept.append(SimpleNamespace(to_dict=partial(dict, id=attachment_id)))
                item.media = discord.UnfurledMediaItem(f"attachment://{name}")
    return kept
