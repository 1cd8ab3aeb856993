"""Styles: saved from results, found by name, shown, used and removed; and the forms of new ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import discord
from discord import MediaGalleryItem, ui

from bot.catalog import Catalog, Tool
from bot.credits.budgets import short_price
from bot.errors import Refused, StudiiBotError
from bot.features import styles
from bot.features.styles import (
    MAX_STYLE_NAME_CHARACTERS,
    MAX_STYLE_ROLES,
    MAX_STYLES,
    STYLE_WORDS,
    UNKNOWN,
    Style,
    inputs_of,
    misfit,
    style_key,
    tool_of,
    wants_words,
)
from bot.jobs import queries
from bot.jobs.models import Job, JobState
from bot.languages import Worded, and_list, gettext as _, lazy, ngettext, pgettext, plazy, quotation_marks
from bot.ui.jobs.choosing import STYLE_EMOJI, open_style_form, prices_for
from bot.ui.jobs.forms import MAX_INPUTS_CHARACTERS, STYLE, Values, choice_field, inputs_from
from bot.ui.jobs.looks import last_results, looks_of
from bot.ui.jobs.progress import INPUTS_ERASED, job_for
from bot.ui.jobs.wording import prompt_of, prompt_words, settings_words
from bot.ui.kit.answers import acknowledge, answer, answer_in_place, host_of, read_before_form
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import (
    BAD,
    GOOD,
    NEUTRAL,
    Panel,
    Piece,
    beside,
    boxed,
    lines,
    plain,
    row,
    sentence,
    shortened,
    small,
    some,
)
from bot.ui.panels.controls import Id, Press, button, manager
from bot.ui.reading.permissions import (
    MANAGERS_ONLY,
    ids_there,
    manages,
    may_read,
    member_context,
    server_of,
    stays_there,
)
from bot.ui.reading.pictures import posted_results

SAVED = "saved:"  # the beginning of the value of a choice, before the style's id
THIS_SERVERS = plazy("choice", "this server's")  # whose style it is
MAX_SHOWN_NAME_CHARACTERS = 40


async def usable_styles(interaction: discord.Interaction, *, manages: bool = False) -> list[Style]:
    """Return the person's own styles, then the server's that they may use, or all with `manages`."""
    guild_id, roles = server_of(interaction), member_context(interaction).roles
    db = host_of(interaction).resources.db
    return await db.read(styles.usable, guild_id, interaction.user.id, roles, manages=manages)


async def values_with(
    interaction: discord.Interaction, tool: Tool, given: Values, style: str | None
) -> dict[str, str]:
    """Return the inputs of a job: those given, else of the style that was chosen or named.

    Raises `Refused` if there is no such style, or it can't be used.

    Where the tool has an input of that name, `style` may also be its value.
    """
    chosen = await _chosen(interaction, tool, style) if style else None
    named = {name: value for name, value in given.items() if value is not None}
    if chosen is not None:
        tool_of(host_of(interaction).catalog, chosen, tool)
        named = inputs_of(chosen, tool, named)
    elif style and tool.input(STYLE) is not None:
        named[STYLE] = style
    return named


async def style_meant(
    interaction: discord.Interaction, typed: str, tool: str | None = None, *, manages: bool = False
) -> Style:
    """Return the style that was chosen from a list, or whose name was typed. Raises `Refused`.

    `tool`: where two have that name, the one for this tool. `manages`: to be shown to who manages it.
    """
    found = await _found(interaction, typed, tool, manages=manages)
    if found is None:
        raise Refused(UNKNOWN.using(name=shortened(typed, MAX_SHOWN_NAME_CHARACTERS)))
    return found


def style_choices(styles: Sequence[Style], typed: str) -> list[tuple[str, str]]:
    """Return the name and the value of each style whose name has what was typed in it."""
    key = style_key(_bare(typed))
    whose = {True: f" · {THIS_SERVERS}", False: ""}
    return [
        (f"{STYLE_EMOJI} {one.name}{whose[one.of_server]}", f"{SAVED}{one.id}")
        for one in styles
        if key in style_key(one.name)
    ]


async def _chosen(interaction: discord.Interaction, tool: Tool, typed: str) -> Style | None:
    """Return the style, or None if what was typed is a value of the tool's own input."""
    own = tool.input(STYLE)
    if own is None:
        return await style_meant(interaction, typed, tool.slug)
    if own.meant(typed) in own.suggestions:
        return None
    found = await _found(interaction, typed, tool.slug)
    # What was typed may also be the name of a style for another tool.
    return found if found is None or typed.startswith(SAVED) or found.tool == tool.slug else None


async def _found(
    interaction: discord.Interaction, typed: str, tool: str | None, *, manages: bool = False
) -> Style | None:
    db = host_of(interaction).resources.db
    guild_id, user_id = server_of(interaction), interaction.user.id
    roles = member_context(interaction).roles
    if typed.startswith(SAVED):
        found = typed.removeprefix(SAVED)
        return await db.read(styles.get, found, guild_id, user_id, roles, manages=manages)
    return await db.read(styles.named, guild_id, user_id, roles, _bare(typed), tool, manages=manages)


def _bare(typed: str) -> str:
    """Return the name of what may have been copied from a list, or is left of a choice that was edited."""
    return typed.removeprefix(STYLE_EMOJI).removesuffix(f" · {THIS_SERVERS}").strip()


# As people see them

USE = plazy("button", "Use")
ADD_TITLE = lazy("A style for this server")
EVERYONE = lazy("No role: everyone can use it")
LIMITED = lazy("Only for these roles")
MAX_STYLE_PROMPT_CHARACTERS = 2000
MAX_OFFERED = 25  # in a list to choose from
STYLES_ON_A_PAGE = 9  # with as many pictures as the 40 components of a message have room for
MAX_SHOWN_ROLES = 5


def _lines_of(style: Style, catalog: Catalog) -> str:
    """Return a style in two lines."""
    needs = wants_words(prompt_of(catalog.tools.get(style.tool), style.inputs))
    unfit = _("no longer fits")
    about = f"⚠️ {unfit}" if misfit(catalog, style) else _("with your words") if needs else ""
    said = small(_dotted(catalog.title(style.tool), about, _roles(style)))
    return lines(f"{catalog.emoji(style.tool)} **{quoted(style)}**", said)


def styles_panel(
    styles: Sequence[Style],
    page: int,
    pictures: Mapping[str, ui.Thumbnail[Any]],
    catalog: Catalog,
    said: str = "",
    *,
    manages: bool,
) -> Panel:
    """Return a page, from 0, of the styles that a member may use, and with `manages` all of the server, below
    what is said. `pictures` are by the styles' ids."""
    own = [one for one in styles if not one.of_server]
    of_server = [one for one in styles if one.of_server]
    yours, this_servers = pgettext("title", "Yours"), pgettext("title", "This server's")
    no_own = lazy(
        "You have no styles here yet. Press **More…** under a result of yours, then **Save as style**."
    )
    count, here = f" · {_count(of_server)}" if manages else "", f"**{this_servers}**"
    headings = f"**{yours}** · {_count(own)}" if own else no_own, here + count if of_server or count else ""
    shown, listed = _on_page(styles, page), list[Piece | Worded]()
    for group, heading in zip((own, of_server), headings, strict=True):
        there = [beside(_lines_of(one, catalog), pictures.get(one.id)) for one in group if one in shown]
        listed += [heading, *there] if there or not group else []
    options = [
        discord.SelectOption(
            label=shortened(one.name, 100), value=one.id, description=shortened(catalog.title(one.tool), 100)
        )
        for one in shown
    ]
    choose = ui.Select[Any](custom_id=show.id(), options=options, placeholder=_("Show a style"))
    buttons = [turn_page.looking(label=_("Back")).of(page - 1)] if page else []
    buttons += [turn_page.looking(label=_("Next")).of(page + 1)] if _on_page(styles, page + 1) else []
    buttons += [add.of()] if manages else []
    about = lazy(
        "Choose one with `style` in a tool's command. `{words}` is where your own words go.",
        words=STYLE_WORDS,
    )
    return boxed(
        GOOD if said else NEUTRAL,
        lines(f"### ⭐ {_('Styles')}", f"✅ {said}" if said else ""),
        *listed,
        *([small(about), row(choose)] if styles else []),
        *([row(*buttons)] if buttons else []),
    )


def _on_page(styles: Sequence[Style], page: int) -> Sequence[Style]:
    return styles[page * STYLES_ON_A_PAGE :][:STYLES_ON_A_PAGE]


def _count(styles: Sequence[Style]) -> str:
    return ngettext("{count} style of {most}", "{count} styles of {most}", len(styles), most=MAX_STYLES)


async def _panel_of(interaction: discord.Interaction, style: Style, title: str = "") -> Panel:
    """Return a style, with the picture of what it made, and what the person can do with it."""
    picture, prices = await _picture_of(interaction, style), await prices_for(interaction)
    catalog = host_of(interaction).catalog
    tool = catalog.tools.get(style.tool)
    whose = _("this server's style") if style.of_server else _("your style")
    wrong = misfit(catalog, style)
    made_by = _("added by {member}", member=f"<@{style.made_by}>") if style.made_by is not None else ""
    managed = style.of_server and manages(interaction)
    usable = style.usable_by(interaction.user.id, member_context(interaction).roles)
    buttons: list[Piece] = []
    if tool is not None and not wrong and usable:
        price = short_price(prices.of(tool, style.inputs))
        buttons.append(use.looking(label=f"{USE} · {price}").of(style.id))
    if managed or not style.of_server:
        buttons.append(remove.of(style.id))
    alt = _("A result of the style {name}", name=style.name)
    shown: list[Piece] = (
        [] if picture is None else [ui.MediaGallery(MediaGalleryItem(picture, description=alt))]
    )
    return boxed(
        BAD if wrong else NEUTRAL,
        lines(
            f"✅ {title}" if title else "",
            f"### {catalog.emoji(style.tool)} {quoted(style)}",
            small(_dotted(catalog.title(style.tool), whose, _roles(style), made_by)),
            prompt_words(tool, style.inputs),
            small(settings_words(tool, style.inputs)),
            f"⚠️ {sentence(str(wrong))}" if wrong else "",
        ),
        *shown,
        *([row(*buttons)] if buttons else []),
        *(
            [f"**{LIMITED}**", row(_role_list(limit.id(style.id), style.roles, interaction))]
            if managed
            else []
        ),
    )


def _role_list(custom_id: str, roles: Iterable[int], interaction: discord.Interaction) -> ui.RoleSelect[Any]:
    # Discord refuses a list in which deleted roles are chosen.
    there = ids_there(interaction)
    chosen = [discord.Object(one) for one in sorted(roles) if there is None or one in there]
    return ui.RoleSelect(
        custom_id=custom_id,
        default_values=chosen,
        placeholder=str(EVERYONE),
        min_values=0,
        max_values=MAX_STYLE_ROLES,
    )


async def show_styles(interaction: discord.Interaction, page: int = 0, said: str = "") -> None:
    """Show a page, from 0, of the styles that the person may use or manage: after a command in an answer to
    them alone, else in place of what they see."""
    catalog, managed = host_of(interaction).catalog, manages(interaction)
    found = await usable_styles(interaction, manages=managed)
    page = page if _on_page(found, page) else 0  # where the last one was removed
    pictures, files = await last_results(interaction, looks_of(_on_page(found, page), catalog))
    panel = styles_panel(found, page, pictures, catalog, said, manages=managed)
    await answer_in_place(interaction, panel, files)


async def show_style(interaction: discord.Interaction, style: Style, title: str = "") -> None:
    """Answer with the style, for the person alone."""
    await answer(interaction, await _panel_of(interaction, style, title))


async def _show_instead(interaction: discord.Interaction, style: Style, title: str = "") -> None:
    await answer_in_place(interaction, await _panel_of(interaction, style, title))


@button("styles:page:{page}")
async def turn_page(press: Press, page: int) -> None:
    """Turn to a page of the list."""
    await acknowledge(press.interaction)
    await show_styles(press.interaction, page)


@button("styles:show")
async def show(press: Press) -> None:
    """Show the style that was chosen, in place of the list."""
    interaction = press.interaction
    await acknowledge(interaction)
    style = await style_meant(interaction, f"{SAVED}{press.values[0]}", manages=manages(interaction))
    await _show_instead(interaction, style)


@button("style:use:{style}", label=USE, style=discord.ButtonStyle.primary)
async def use(press: Press, style: str) -> None:
    """Open the form of the style."""
    reading = style_meant(press.interaction, f"{SAVED}{style}")
    await open_style_form(press.interaction, await read_before_form(press.interaction, reading))


@button("style:remove:{style}", label=plazy("button", "Remove"))
async def remove(press: Press, style: str) -> None:
    """Remove one's own style, or one of the server."""
    interaction, resources = press.interaction, press.host.resources
    guild_id, managed = server_of(interaction), manages(interaction)
    await acknowledge(interaction)
    removed = await resources.db.write(styles.remove, style, guild_id, interaction.user.id, manages=managed)
    if removed.of_server:
        await resources.photo_rules.reread(guild_id)  # its emoji run nothing now
    said = _("The style {style} is removed. Jobs made with it stay as they are.", style=quoted(removed))
    await show_styles(interaction, said=said)


@button("style:roles:{style}", who=manager)
async def limit(press: Press, style: str) -> None:
    """Let only the chosen roles use a style of the server."""
    interaction, roles = press.interaction, [int(one) for one in press.values]
    await acknowledge(interaction)
    limited = await press.host.resources.db.write(styles.limit_to_roles, server_of(interaction), style, roles)
    said = _("{style} is for everyone now.", style=quoted(limited))
    if limited.roles:
        said = _("{style} is now only for {roles}.", style=quoted(limited), roles=_role_names(limited))
    await _show_instead(interaction, limited, said)


@button("styles:add", label=lazy("Add a style for this server…"), who=manager)
async def add(press: Press) -> None:
    """Show the form of a new style for the server."""
    await press.ask(ADD_TITLE, *_asked(press.interaction, {}))


@add.submitted
async def added(press: Press) -> None:
    """Add the style that was entered; the form comes back as it was filled in if it is refused."""
    interaction, host, entered = press.interaction, press.host, press.values
    try:
        tool = host.catalog.get(entered["tool"][0])
        style = await host.resources.db.write(
            styles.save,
            server_of(interaction),
            interaction.user.id,
            entered["name"],
            tool,
            style_inputs(tool, entered["prompt"], entered["inputs"]),
            for_server=True,
            roles=[int(one) for one in entered["roles"]],
        )
    except StudiiBotError as refusal:
        await press.ask_again(refusal, ADD_TITLE, *_asked(interaction, entered))
    else:
        await _show_instead(interaction, style, _("{style} is added.", style=quoted(style)))


def _asked(interaction: discord.Interaction, given: Mapping[str, Any]) -> list[ui.Item[Any]]:
    """Return the fields of a new style for the server, with what was entered before."""
    options = [
        discord.SelectOption(
            label=shortened(one.title, 100),
            value=one.slug,
            emoji=one.emoji,
            default=one.slug in given.get("tool", ()),
        )
        for one in host_of(interaction).catalog.tools.values()
        if one.inputs
    ]
    inputs = ui.TextInput[Any](
        custom_id="inputs", default=given.get("inputs"), required=False, max_length=MAX_INPUTS_CHARACTERS
    )
    roles = _role_list("roles", map(int, given.get("roles", ())), interaction)
    roles.required = False
    return [
        name_field(given),
        labelled(_("Tool"), ui.Select[Any](custom_id="tool", options=options[:MAX_OFFERED])),
        prompt_field(given.get("prompt"), MAX_STYLE_PROMPT_CHARACTERS),
        labelled(_("Inputs"), inputs, _("Such as: style=farmhouse, room=bedroom")),
        labelled(LIMITED, roles, EVERYONE),
    ]


def name_field(given: Mapping[str, Any]) -> ui.Label[Any]:
    """Return the field of a style's name, with what was entered before."""
    entry = ui.TextInput[Any](
        custom_id="name", default=given.get("name"), max_length=MAX_STYLE_NAME_CHARACTERS
    )
    return labelled(_("Name"), entry)


def prompt_field(typed: str | None, most: int | None) -> ui.Label[Any]:
    """Return the field of a style's prompt."""
    look = discord.TextStyle.paragraph
    entry = ui.TextInput[Any](custom_id="prompt", style=look, default=typed, required=False, max_length=most)
    # Translators: at most 100 characters
    about = lazy(
        "Write {words} where your own words go. Without it, they are added at the end.", words=STYLE_WORDS
    )
    return labelled(_("Prompt"), entry, about)


def style_inputs(tool: Tool, prompt: str, typed: str) -> dict[str, str]:
    """Return the inputs of a new style. Raises `Refused` if they are none of the tool's."""
    names = [one.name for one in tool.inputs]
    inputs = inputs_from(typed)
    unknown = next((name for name in inputs if name not in names), None)
    if unknown is not None:
        listed = and_list([f"`{name}`" for name in names])
        raise Refused(
            lazy(
                "{tool} has no input “{input}”. Its inputs are {names}. Nothing was saved.",
                tool=tool.title,
                input=plain(unknown, 40),
                names=listed,
            )
        )
    if prompt.strip():
        if tool.prompt is None:
            raise Refused(
                lazy(
                    "{tool} takes no prompt. Set its inputs under *Inputs*. Nothing was saved.",
                    tool=tool.title,
                )
            )
        if tool.prompt.name in inputs:
            raise Refused(lazy("Write the prompt under *Prompt*, not under *Inputs*. Nothing was saved."))
        inputs[tool.prompt.name] = prompt.strip()
    if not inputs:
        raise Refused(lazy("A style needs a prompt or inputs. Nothing was saved."))
    return inputs


async def _picture_of(interaction: discord.Interaction, style: Style) -> str | None:
    """Return the address of the picture in the posting of the job that the style was saved from.

    None if it is gone, or if the person can't see it where it was posted; so nothing gets out of a channel
    that is closed to them, or age-restricted.
    """
    db = host_of(interaction).resources.db
    job = None if style.job_id is None else await db.read(queries.get, style.job_id)
    if job is None or stays_there(interaction.client, job) or not may_read(interaction, job):
        return None
    picture = (await posted_results(interaction.client, [job])).pictures.get(job.id)
    return None if picture is None or picture.hidden else picture.url


def quoted(style: Style) -> str:
    """Return a style's name for a message."""
    before, after = quotation_marks()
    return f"{before}{plain(style.name, MAX_STYLE_NAME_CHARACTERS)}{after}"


def _dotted(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _roles(style: Style) -> str:
    return _("for {roles}", roles=_role_names(style)) if style.roles else ""


def _role_names(style: Style) -> str:
    return some([f"<@&{one}>" for one in style.roles], MAX_SHOWN_ROLES)


# A result, saved as a style


SAVE_LABEL = plazy("button", "Save as style")
NOT_SHARED = lazy(
    "That was made in an age-restricted channel, so it can't be this server's style. The member can save it "
    "as their own. Nothing was saved."
)
MINE_FIELD, SERVER_FIELD = "mine", "server"
OWNERS = {MINE_FIELD: lazy("Only for me"), SERVER_FIELD: lazy("For everyone in this server")}


@button("save:{job_id}-{posting}", label=SAVE_LABEL)
async def save_as_style(press: Press, job_id: Id, posting: int) -> None:
    """Show the form that saves what a job was asked for as a style."""
    job = await read_before_form(press.interaction, _job(press, job_id))
    await press.ask(SAVE_LABEL, *_asked_of(press, job, {}))


@save_as_style.submitted
async def saved(press: Press, job_id: Id, posting: int) -> None:
    """Save the style; the form comes back as it was filled in if it is refused."""
    interaction, host, entered = press.interaction, press.host, press.values
    job = await _job(press, job_id)
    tool, owners, inputs = host.catalog.get(job.tool), _owners(interaction, job), dict(job.inputs)
    owner = entered.get("owner", owners[0])
    if tool.prompt is not None:
        inputs[tool.prompt.name] = entered["prompt"].strip()
    try:
        if owner not in owners:
            raise Refused(NOT_SHARED if manages(interaction) else MANAGERS_ONLY)
        style = await host.resources.db.write(
            styles.save,
            job.guild_id,
            interaction.user.id,
            entered["name"],
            tool,
            inputs,
            for_server=owner == SERVER_FIELD,
            job_id=None if job.private else job.id,
        )
    except StudiiBotError as refusal:
        await press.ask_again(refusal, SAVE_LABEL, *_asked_of(press, job, entered))
    else:
        await show_style(
            interaction, style, _("Style saved. Choose it with `style` in `/{tool}`.", tool=tool.slug)
        )


async def _job(press: Press, job_id: str) -> Job:
    """Return the job. Raises `Refused` if the person can't save a style from it."""
    job = await job_for(press.interaction, press.host.resources, job_id)
    _owners(press.interaction, job)
    return job


def _owners(interaction: discord.Interaction, job: Job) -> list[str]:
    """Return whose style it can be: people save their own results, for themselves; admins those of others
    too, for the server.
    """
    own, admin = job.user_id == interaction.user.id, manages(interaction)
    if not own and not admin:
        raise Refused(
            lazy(
                "Only the person who asked for this can save it as a style. Run it again to get "
                "a result of your own."
            )
        )
    if job.state is not JobState.SUCCEEDED:
        raise Refused(lazy("Only a job that has a result can be saved as a style."))
    if job.scrubbed_at is not None:
        raise Refused(INPUTS_ERASED)
    shared = not stays_there(interaction.client, job)
    if not own and not shared:
        raise Refused(NOT_SHARED)
    return [*([MINE_FIELD] if own else []), *([SERVER_FIELD] if admin and shared else [])]


def _asked_of(press: Press, job: Job, given: Mapping[str, Any]) -> list[ui.Item[Any]]:
    """Return the fields: the style's name, its prompt, and if there is a choice, whose it is.

    They hold what was entered before.
    """
    tool, owners = press.host.catalog.get(job.tool), _owners(press.interaction, job)
    fields: list[ui.Item[Any]] = [name_field(given)]
    if tool.prompt is not None:
        typed = given.get("prompt", prompt_of(tool, job.inputs))
        fields.append(prompt_field(typed, tool.prompt.max_length))
    if len(owners) > 1:
        labels = {value: str(label) for value, label in OWNERS.items()}
        chosen = given.get("owner", MINE_FIELD)
        fields.append(labelled(_("Whose style"), choice_field("owner", labels, chosen, required=True)))
    return fields
