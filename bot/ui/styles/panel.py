"""Styles as people see them: one with its picture, and lists; with the buttons to use and to remove one."""

from collections.abc import Awaitable, Sequence
from typing import Any

import discord
from discord import MediaGalleryItem, ui

from bot.catalog import Catalog
from bot.credits.prices import PriceTable, short_price
from bot.features import styles
from bot.features.styles import MAX_STYLE_NAME_CHARACTERS, MAX_STYLES, STYLE_WORDS, Style, misfit, wants_words
from bot.jobs import queries
from bot.languages import and_list, gettext as _, lazy, ngettext, pgettext, quotation_marks
from bot.ui.jobs.forms.open_form import open_style_form, prices_for
from bot.ui.jobs.listing.thumbnails import posted_results
from bot.ui.jobs.wording import ToolNames, prompt_of, prompt_words, settings_words
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.host import Host, host_of
from bot.ui.kit.layout import (
    BAD,
    GOOD,
    NEUTRAL,
    Panel,
    Piece,
    boxed,
    changed_words,
    fitting,
    lines,
    row,
    small,
)
from bot.ui.kit.responses import acknowledge, answer
from bot.ui.kit.text import plain, sentence
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import channel_in, server_of, stays_there

USE, REMOVE = "use", "remove"
STYLES_TITLE = lazy("Styles")
MAX_STYLES_CHARACTERS = 2800  # characters for lists, of the 4,000 of a message
MAX_SHOWN_ROLES = 5


def line_of(style: Style, catalog: Catalog) -> str:
    """Return a style in one line."""
    names = ToolNames(catalog)
    about = f"{names.emoji(style.tool)} **{quoted(style)}** · {names.title(style.tool)}"
    if misfit(catalog, style):
        unfit = _("no longer fits")
        return f"{about} · ⚠️ {unfit}"
    needs = wants_words(prompt_of(names.tool(style.tool), style.inputs))
    return _dotted(about, _("with your words") if needs else "", _roles(style))


def styles_panel(styles: Sequence[Style], catalog: Catalog) -> Panel:
    """Return the styles that a member may use."""
    own = [one for one in styles if not one.of_server]
    of_server = [one for one in styles if one.of_server]
    mine, here = (_listed(some, catalog, MAX_STYLES_CHARACTERS // 2) for some in (own, of_server))
    counted = ngettext("{count} style of {most}", "{count} styles of {most}", len(own), most=MAX_STYLES)
    yours, this_servers = pgettext("title", "Yours"), pgettext("title", "This server's")
    return boxed(
        NEUTRAL,
        lines(
            f"### ⭐ {STYLES_TITLE}",
            f"**{yours}** · {counted}"
            if own
            else lazy("You have no styles here yet. Press **Save as style** under a result of yours."),
            *mine,
        ),
        lines(f"**{this_servers}**", *here) if here else "",
        small(
            lazy(
                "Choose one with `style` in a tool's command, or see one with `/styles name:`. `{words}` is "
                "where your own words go.",
                words=STYLE_WORDS,
            )
        )
        if styles
        else "",
    )


def server_styles_panel(styles: Sequence[Style], catalog: Catalog, *changed: str) -> Panel:
    """Return the server's styles for its admins, below what has just been changed."""
    counted = ngettext("{count} style of {most}:", "{count} styles of {most}:", len(styles), most=MAX_STYLES)
    title = _("This server's styles")
    return boxed(
        GOOD if changed else NEUTRAL,
        lines(f"### ⭐ {title}", changed_words(changed)),
        lines(counted, *_listed(styles, catalog, MAX_STYLES_CHARACTERS))
        if styles
        else lazy("This server has no styles yet. `/studii styles add` makes one."),
        small(
            lazy(
                "Members choose one with `style` in a tool's command. `/studii styles show name:` shows one."
            )
        )
        if styles
        else "",
    )


def style_panel(
    style: Style,
    catalog: Catalog,
    prices: PriceTable | None,
    picture: str | None,
    title: str,
) -> Panel:
    """Return a style, with `picture`, the address of what it made, and what can be done with it."""
    names = ToolNames(catalog)
    tool = names.tool(style.tool)
    whose = _("this server's style") if style.of_server else _("your style")
    wrong = misfit(catalog, style)
    made_by = _("added by {member}", member=f"<@{style.made_by}>") if style.made_by is not None else ""
    buttons: list[Piece] = []
    if tool is not None and not wrong:
        price = "" if prices is None else f" · {short_price(prices.of(tool, style.inputs))}"
        buttons.append(StyleButton(USE, style.id, pgettext("button", "Use") + price))
    if not style.of_server:
        buttons.append(StyleButton(REMOVE, style.id, pgettext("button", "Remove")))
    alt = _("A result of the style {name}", name=style.name)
    shown: list[Piece] = (
        [] if picture is None else [ui.MediaGallery(MediaGalleryItem(picture, description=alt))]
    )
    return boxed(
        BAD if wrong else NEUTRAL,
        lines(
            f"✅ {title}" if title else "",
            f"### {names.emoji(style.tool)} {quoted(style)}",
            small(_dotted(names.title(style.tool), whose, _roles(style), made_by)),
            prompt_words(tool, style.inputs),
            small(settings_words(tool, style.inputs)),
            f"⚠️ {sentence(str(wrong))}" if wrong else "",
        ),
        *shown,
        *([row(*buttons)] if buttons else []),
    )


async def show_style(interaction: discord.Interaction, found: Awaitable[Style], title: str = "") -> None:
    """Answer with the style, for the person alone."""
    style = await found
    picture, prices = await picture_of(interaction, style), await prices_for(interaction)
    await answer(interaction, style_panel(style, host_of(interaction).catalog, prices, picture, title))


async def picture_of(interaction: discord.Interaction, style: Style) -> str | None:
    """Return the address of the picture in the posting of the job that the style was saved from.

    None if it is gone, or if the person can't see it where it was posted; so nothing gets out of a channel
    that is closed to them, or age-restricted.
    """
    host, guild, person = host_of(interaction), interaction.guild, interaction.user
    job = None if style.job_id is None else await host.services.db.read(queries.get, style.job_id)
    if job is None or job.guild_id != style.guild_id or job.private:
        return None
    if guild is None or not isinstance(person, discord.Member) or stays_there(interaction.client, job):
        return None
    channel = channel_in(guild, job.result_channel_id or job.channel_id)
    if channel is None or not _reads(person, channel, own=job.user_id == person.id):
        return None
    picture = (await posted_results(interaction.client, [job])).pictures.get(job.id)
    return None if picture is None or picture.hidden else picture.url


def _reads(person: discord.Member, channel: Any, *, own: bool) -> bool:
    """Return whether the person can read the channel. `own`: they have a result there.

    Who is in a private thread isn't known without a request, so it is closed to others.
    """
    if isinstance(channel, discord.Thread) and channel.is_private() and not own:
        return False
    may = channel.permissions_for(person)
    return may.view_channel and may.read_message_history


class StyleButton(
    LastingButton, template=rf"studii:style:(?P<action>{USE}|{REMOVE}):(?P<style>[0-9a-f]{{16}})"
):
    """Open the form of a style, or remove a style of one's own."""

    def __init__(self, action: str, style_id: str, label: str = "") -> None:
        self._action = action
        self._style_id = style_id
        look = discord.ButtonStyle.primary if action == USE else discord.ButtonStyle.secondary
        super().__init__(ui.Button(label=label, style=look, custom_id=f"studii:style:{action}:{style_id}"))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id, user_id, db = server_of(interaction), interaction.user.id, host.services.db
        if self._action == USE:
            roles = member_context(interaction).roles
            reading = db.read(styles.get, self._style_id, guild_id, user_id, roles)
            await open_style_form(interaction, await read_before_form(interaction, reading))
            return
        await acknowledge(interaction)
        removed = await db.write(styles.remove, self._style_id, guild_id, user_id)
        said = _("The style {style} is removed. Jobs made with it stay as they are.", style=quoted(removed))
        await interaction.edit_original_response(view=boxed(GOOD, said))


def quoted(style: Style) -> str:
    """Return a style's name for a message."""
    before, after = quotation_marks()
    return f"{before}{plain(style.name, MAX_STYLE_NAME_CHARACTERS)}{after}"


def _dotted(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _roles(style: Style) -> str:
    shown = [f"<@&{one}>" for one in sorted(style.roles)[:MAX_SHOWN_ROLES]]
    more = len(style.roles) - len(shown)
    if more:
        shown.append(ngettext("{count} more", "{count} more", more))
    return _("for {roles}", roles=and_list(shown)) if shown else ""


def _listed(styles: Sequence[Style], catalog: Catalog, room: int) -> list[str]:
    def more(left: int) -> str:
        return "- " + ngettext("… and {count} more", "… and {count} more", left)

    return fitting([f"- {line_of(style, catalog)}" for style in styles], room, more)
