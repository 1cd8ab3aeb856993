"""One slash command for each tool of the catalogue, and message menus for a picture that is in a channel."""

import inspect
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.catalog import MAX_SHORT_TEXT, SourceRule, Tool, ToolInput
from bot.client.bot import StudiiBot
from bot.client.commands import localised
from bot.errors import Refused
from bot.features.styles import WordsNeeded
from bot.jobs.models import SourcePhoto
from bot.languages import N_, gettext as _, lazy
from bot.ui.jobs.choosing import ask, begin, choose, open_style_form, own_inputs
from bot.ui.jobs.forms import MAX_EXTRA_CHARACTERS, MAX_VARIANTS, STYLE, FormStart, Values, extra_inputs
from bot.ui.jobs.start import Terms, start
from bot.ui.kit.answers import host_of, in_order, read_before_form, read_for_suggestions
from bot.ui.kit.forms import PhotoCommand
from bot.ui.reading.permissions import ensure_can_post
from bot.ui.reading.pictures import author_in, ensure_taken, is_beside, pictures_in, source_photo, taken_of
from bot.ui.styles import style_choices, usable_styles, values_with
from cogs.commands import MAX_SUGGESTIONS, Choices, choices

MAX_VALUES_BESIDE_STYLES = 10  # of them are values of the input, where styles are offered too
ALL_TOOLS = "Studii…"  # Untranslated: the bot's name
IMAGE = "image"
PRIVATE_OPTION = "private"
EXTRA, VARIANTS = "extra", "variants"
_PRIVATE_HELP = N_("Show the result only to you")
_STYLE_HELP = N_("A style that you or this server saved; options that you set here replace its inputs")
_OR_A_STYLE = N_("{input}, or a style that you or this server saved")
_VARIANTS_HELP = N_("How many pictures to make with these inputs, each at the tool's price")
_EXTRA_HELP = N_("More inputs for Studii as key=value, for members with Manage Server")
_IMAGE_HELP = {
    SourceRule.REQUIRED: N_("The photo to start from: JPEG, PNG, WebP, HEIC and others"),
    SourceRule.OPTIONAL: N_("A photo to start from (optional): JPEG, PNG, WebP, HEIC and others"),
}

Suggest = Callable[[discord.Interaction, str], Coroutine[Any, Any, Choices]]


def tool_command(tool: Tool) -> PhotoCommand:
    """Return the slash command that runs the tool, with the tool's inputs as its options."""
    options = {f"input_{number}": one for number, one in enumerate(tool.inputs)}

    async def run(interaction: discord.Interaction, **given: Any) -> None:
        values: dict[str, str | None] = {one.name: given.get(key) for key, one in options.items()}
        with in_order(interaction):
            await _run(interaction, tool, values, given)

    # An input's name need not be a name in Python, so the options are renamed to it.
    run.__signature__ = _signature(tool, options)  # pyright: ignore[reportFunctionMemberAccess]
    app_commands.rename(**{key: one.name for key, one in options.items()})(run)
    suggesting = {
        key: _suggestions(tool, one) for key, one in options.items() if one.suggestions or one.name == STYLE
    }
    descriptions = {key: localised(partial(_described, one)) for key, one in options.items()}
    descriptions |= {PRIVATE_OPTION: locale_str(_PRIVATE_HELP), EXTRA: locale_str(_EXTRA_HELP)}
    descriptions[VARIANTS] = locale_str(_VARIANTS_HELP)
    descriptions |= {
        key: localised(partial(_or_a_style, one)) for key, one in options.items() if one.name == STYLE
    }
    if tool.inputs and tool.input(STYLE) is None:
        suggesting[STYLE] = _suggestions(tool, None)
        descriptions[STYLE] = locale_str(_STYLE_HELP)
    app_commands.autocomplete(**suggesting)(run)
    if tool.source in _IMAGE_HELP:
        descriptions[IMAGE] = locale_str(_IMAGE_HELP[tool.source])
    app_commands.describe(**descriptions)(run)
    return PhotoCommand(name=tool.slug, description=localised(lambda: tool.summary), callback=run)


def _described(one: ToolInput) -> str:
    return one.description


def _or_a_style(one: ToolInput) -> str:
    said = _(_OR_A_STYLE, input=one.description)
    return said if len(said) <= MAX_SHORT_TEXT else _(_STYLE_HELP)  # an operator's description may be long


async def _run(
    interaction: discord.Interaction, tool: Tool, values: dict[str, str | None], given: dict[str, Any]
) -> None:
    """Start the job; show a form if there is no prompt. `given` are the options that every tool has."""
    attached: discord.Attachment | None = given.get(IMAGE)
    source = source_photo(attached) if attached is not None else None
    style = values.pop(STYLE, None) or given.get(STYLE)
    private, extra = bool(given.get(PRIVATE_OPTION)), extra_inputs(given.get(EXTRA), tool)
    variants = [dict[str, str]()] * (given.get(VARIANTS) or 0)
    terms = Terms(private=private, extra=extra, variants=variants)
    pictures = [] if source is None else [source]
    try:
        reading = values_with(interaction, tool, values, style)
        if style is not None or _needs_prompt(tool, values):
            reading = read_before_form(interaction, reading)
        chosen = await reading
    except WordsNeeded as needed:
        there = {name: value for name, value in values.items() if value is not None}
        await open_style_form(interaction, needed.style, pictures, terms, there)
        return
    if _needs_prompt(tool, chosen):
        values = {**await own_inputs(interaction, tool), **chosen}
        await ask(interaction, tool, FormStart(pictures, values), terms)
    else:
        await start(interaction, tool, chosen, pictures, replace(terms, preferred=True))


def _needs_prompt(tool: Tool, values: Values) -> bool:
    return tool.prompt is not None and tool.prompt.required and not values.get(tool.prompt.name)


def _signature(tool: Tool, options: dict[str, ToolInput]) -> inspect.Signature:
    text: Any = app_commands.Range
    parameters = [
        _parameter(key, text[str, 1, one.max_length], required=_needed(one)) for key, one in options.items()
    ]
    if tool.source is not SourceRule.NONE:
        needed = tool.source is SourceRule.REQUIRED
        image = _parameter(IMAGE, discord.Attachment, required=needed)
        # Before the optional ones; Discord requires that order anyway.
        place = 0 if needed else sum(_needed(one) or one.long for one in tool.inputs)
        parameters.sort(key=lambda parameter: parameter.default is None)
        parameters.insert(place, image)
    if tool.inputs and tool.input(STYLE) is None:
        parameters.append(_parameter(STYLE, app_commands.Range[str, 1, 100], required=False))
    parameters.append(_parameter(PRIVATE_OPTION, bool, required=False))
    parameters.append(_parameter(VARIANTS, app_commands.Range[int, 2, MAX_VARIANTS], required=False))
    parameters.append(_parameter(EXTRA, app_commands.Range[str, 1, MAX_EXTRA_CHARACTERS], required=False))
    first = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return inspect.Signature([first, *parameters])


def _parameter(name: str, annotation: Any, *, required: bool) -> inspect.Parameter:
    default = inspect.Parameter.empty if required else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _needed(one: ToolInput) -> bool:
    """Return whether the command can't be sent without the input. A prompt can be typed in the form."""
    return one.needed and not one.long


def _suggestions(tool: Tool, one: ToolInput | None) -> Suggest:
    """Return a function that suggests values of the input, if there is one, and styles if they can be named
    there."""

    async def suggest(interaction: discord.Interaction, typed: str) -> Choices:
        values = [] if one is None else [(one.shown(value), value) for value in suggested(one, typed)]
        styles: list[tuple[str, str]] = []
        if one is None or one.name == STYLE:
            usable = await read_for_suggestions(interaction, usable_styles(interaction))
            styles = style_choices([style for style in usable if style.tool == tool.slug], typed)[
                : MAX_SUGGESTIONS - min(len(values), MAX_VALUES_BESIDE_STYLES)
            ]
        return choices([*styles, *values])

    return suggest


def suggested(one: ToolInput, typed: str) -> list[str]:
    """Return the suggestions that match, and what was typed: other values are accepted too."""
    typed = typed.strip()[: one.max_length]
    part = typed.casefold()
    found = [
        value for value in one.suggestions if part in value.casefold() or part in one.shown(value).casefold()
    ]
    if typed and one.meant(typed) not in found and len(typed) <= 100:
        found = [*found[: MAX_SUGGESTIONS - 1], typed]
    return found[:MAX_SUGGESTIONS]


# Message menus


def tool_menu(tool: Tool) -> app_commands.ContextMenu:
    """Return the message menu that runs the tool on a message's picture."""

    async def run(interaction: discord.Interaction, message: discord.Message) -> None:
        with in_order(interaction):
            pictures = _pictures(interaction, message)
            terms = await read_before_form(interaction, _terms(interaction, message))
            await begin(interaction, tool, pictures, terms)

    return app_commands.ContextMenu(name=localised(lambda: tool.title), callback=run)


def all_tools_menu() -> app_commands.ContextMenu:
    """Return the message menu that lets the person choose a tool first."""

    async def run(interaction: discord.Interaction, message: discord.Message) -> None:
        pictures = _pictures(interaction, message)
        terms = await _terms(interaction, message)
        which = _("What would you like to make?")
        await choose(interaction, pictures, f"### {which}", terms)

    return app_commands.ContextMenu(name=ALL_TOOLS, callback=run)


def _pictures(interaction: discord.Interaction, message: discord.Message) -> list[SourcePhoto]:
    # Before the person fills in a form in vain.
    ensure_can_post(interaction)
    pictures, own = pictures_in(message), interaction.client.user
    if own is not None and message.author.id == own.id:  # what stands beside a result is none
        pictures = [one for one in pictures if not is_beside(one)] or pictures
    if not pictures:
        raise Refused(lazy("That message has no picture. Choose a message with a photo and try again."))
    taken = taken_of(pictures)
    return taken or [ensure_taken(pictures[0])]


async def _terms(interaction: discord.Interaction, message: discord.Message) -> Terms:
    host = host_of(interaction)
    return Terms(photo_author=await author_in(message, interaction.client, host.resources))


async def setup(bot: StudiiBot) -> None:
    """Add the commands, the menu for all tools, and those of tools that take a photo while there is room."""
    for tool in bot.catalog.tools.values():
        bot.tree.add_command(tool_command(tool))
    bot.tree.add_command(all_tools_menu())
    # Those that need a photo first.
    tools = sorted(bot.catalog.tools.values(), key=lambda tool: tool.source is SourceRule.OPTIONAL)
    with suppress(app_commands.CommandLimitReached):  # how many there can be changes, so it is tried
        for tool in tools:
            if tool.source is not SourceRule.NONE:
                bot.tree.add_command(tool_menu(tool))
