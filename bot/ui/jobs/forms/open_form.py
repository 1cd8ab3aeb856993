"""Open a tool's form, from which jobs start; or start a job at once if there is nothing to ask."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import discord

from bot.catalog import SourceRule, Tool
from bot.credits import prices
from bot.credits.prices import Estimate, PriceTable
from bot.errors import StudiiBotError
from bot.features.styles import Style, default_inputs, inputs_of, tool_of
from bot.jobs.models import SourcePhoto
from bot.ui.jobs.forms.tool_form import (
    MAX_SET_PHOTOS,
    Filled,
    FormStart,
    ToolForm,
    Values,
    all_of,
    needs_form,
)
from bot.ui.jobs.start import AS_USUAL, Terms, request_for, start_once
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.forms import show_refused
from bot.ui.kit.host import host_of, in_order
from bot.ui.reading.permissions import server_of


async def begin(
    interaction: discord.Interaction,
    tool: Tool,
    pictures: Sequence[SourcePhoto],
    terms: Terms = AS_USUAL,
    *,
    asking: bool = False,
) -> None:
    """Ask for the tool's inputs and for the picture to take; start at once if there is nothing to ask.

    A tool that takes no picture starts without one, whoever posted it. `asking`: ask in any case, so that the
    person can make the job private. To be called within `in_order` otherwise.
    """
    if tool.source is SourceRule.NONE:
        pictures, terms = (), replace(terms, photo_author=None)
    if asking or needs_form(tool, pictures):
        await ask(interaction, tool, FormStart(pictures, await own_inputs(interaction, tool)), terms)
        return
    await start_once(interaction, tool, {}, pictures[:1], terms)


async def open_form(interaction: discord.Interaction, tool: Tool) -> None:
    """Show the tool's empty form, to which a photo can be attached."""
    await ask(interaction, tool, FormStart(values=await own_inputs(interaction, tool)))


async def own_inputs(interaction: discord.Interaction, tool: Tool) -> dict[str, str | None]:
    """Return the inputs of the tool that the person prefers."""
    db = host_of(interaction).services.db
    reading = db.read(default_inputs, server_of(interaction), interaction.user.id, tool)
    return {**await read_before_form(interaction, reading)}


async def open_style_form(
    interaction: discord.Interaction,
    style: Style,
    pictures: Sequence[SourcePhoto] = (),
    terms: Terms = AS_USUAL,
    given: Values | None = None,
) -> None:
    """Show the form of a style, to which a photo can be attached if there are no `pictures`.

    `given` are inputs that go before the style's. Raises `Refused` if the style can't be used any more.
    """
    tool = tool_of(host_of(interaction).catalog, style)
    prompt = tool.prompt
    # The person's own words go there.
    of_style = {name: value for name, value in style.inputs.items() if prompt is None or name != prompt.name}
    values = {**await own_inputs(interaction, tool), **of_style, **(given or {})}
    await ask(interaction, tool, FormStart(pictures, values, style=style), terms)


async def ask(
    interaction: discord.Interaction, tool: Tool, start: FormStart, terms: Terms = AS_USUAL
) -> None:
    """Show the form. Raises `Refused` if nothing could be accepted now.

    What is refused once it is handed in can be edited.
    """
    known = await read_before_form(interaction, _known(interaction, tool, start, terms))

    async def submit(submitted: discord.Interaction, filled: Filled) -> None:
        # A photo that came with the form is the person's own.
        own = replace(terms, photo_author=None, message_id=None) if filled.attached else terms
        # The form names the prices of its choices, the button before it that of none.
        wanted = replace(own, private=filled.private, shown_price=None, shown_prices=known.prices)
        try:
            values = filled.values if start.style is None else inputs_of(start.style, tool, filled.values)
            with in_order(submitted):
                await start_once(submitted, tool, values, filled.photos, wanted)
        except StudiiBotError as refusal:
            await show_refused(submitted, refusal, partial(_again, tool, start, filled, wanted))

    await ToolForm(tool, known, submit).show(interaction)


async def _known(interaction: discord.Interaction, tool: Tool, start: FormStart, terms: Terms) -> FormStart:
    """Return the start of the form with what the database knows. Raises `Refused`."""
    services = host_of(interaction).services
    possible = services.acceptance.ensure_possible
    return replace(
        start,
        private=terms.private,
        may_be_private=await services.db.read(possible, request_for(interaction, tool, terms)),
        prices=await prices_for(interaction),
        set_prices=await _set_prices(interaction, tool, start, terms),
    )


async def _again(
    tool: Tool, start: FormStart, filled: Filled, terms: Terms, interaction: discord.Interaction
) -> None:
    """Show the form as the person has filled it in."""
    start = replace(start, values=filled.values, chosen=filled.chosen)
    if filled.attached:
        photos = filled.photos
        start = replace(start, pictures=photos, replaceable=len(photos) == 1, chosen=all_of(photos))
    await ask(interaction, tool, start, terms)


async def prices_for(interaction: discord.Interaction) -> PriceTable:
    """Return what jobs cost in the server of the interaction."""
    return await host_of(interaction).services.db.read(prices.price_table, server_of(interaction))


async def _set_prices(
    interaction: discord.Interaction, tool: Tool, start: FormStart, terms: Terms
) -> list[Estimate]:
    """Return the prices of the pictures, from the first on, that could be taken together now."""
    photos = start.pictures[:MAX_SET_PHOTOS]
    if len(photos) < 2:
        return []
    given = {one.name: start.values.get(one.name) or one.default for one in tool.inputs}
    inputs = {name: value for name, value in given.items() if value is not None}
    inputs |= terms.extra or {}
    requests = [
        replace(request_for(interaction, tool, terms, photo, number), inputs=inputs)
        for number, photo in enumerate(photos)
    ]
    services = host_of(interaction).services
    return await services.db.read(services.acceptance.would_accept, requests)
