"""Let a person choose what to make: a tool's form, the list of tools, and the tools under a mention."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord import MediaGalleryItem, ui

from bot.catalog import SourceRule, Tool, ToolInput
from bot.credits.budgets import Estimate, price_of_all, short_price
from bot.credits.prices import PriceTable, ToolPrice, price_table
from bot.errors import NotAllowed, Refused, StudiiBotError
from bot.features.styles import Style, default_inputs, inputs_of, misfit, tool_of, usable
from bot.jobs.models import SourcePhoto
from bot.languages import gettext as _, lazy
from bot.resources import Resources
from bot.ui.jobs.forms import (
    CHOICE_LENGTH,
    EACH,
    MAX_FORM_OPTIONS,
    MAX_SET_PHOTOS,
    STYLE,
    FormStart,
    Values,
    capitalised,
    choice,
    filled_in,
    form_title,
    styled,
    tool_form,
)
from bot.ui.jobs.looks import Look, last_results, looks_of
from bot.ui.jobs.start import AS_USUAL, QUESTION_OVER, Terms, request_for, start_once
from bot.ui.kit.answers import (
    acknowledge,
    answer,
    answer_in_place,
    host_of,
    in_order,
    read_before_form,
    refused_as,
)
from bot.ui.kit.forms import show_form
from bot.ui.kit.layout import (
    NEUTRAL,
    Panel,
    Piece,
    beside,
    boxed,
    button_rows,
    lines,
    plain,
    row,
    shortened,
    small,
)
from bot.ui.panels.controls import Press, button, kept, show_refused
from bot.ui.reading.permissions import member_context, server_of
from bot.ui.reading.pictures import (
    LOOKUP_TIMEOUT,
    author_in,
    ensure_taken,
    is_before,
    photos_in,
    plain_name,
    taken_of,
)


async def begin(
    interaction: discord.Interaction,
    tool: Tool,
    pictures: Sequence[SourcePhoto],
    terms: Terms = AS_USUAL,
    *,
    asking: bool = False,
) -> None:
    """Ask for the tool's inputs and for the picture to take; start at once if there is nothing to ask.

    A tool that takes no picture starts without one. `asking`: ask in any case, so that the
    person can make the job private. To be called within `in_order` otherwise.
    """
    if tool.source is SourceRule.NONE:
        pictures, terms = (), replace(terms, photo_author=None)
    several = tool.source is not SourceRule.NONE and len(pictures) != 1
    if asking or tool.inputs or several:
        await ask(interaction, tool, FormStart(pictures, await own_inputs(interaction, tool)), terms)
        return
    await start_once(interaction, tool, {}, pictures[:1], terms)


async def own_inputs(interaction: discord.Interaction, tool: Tool) -> dict[str, str | None]:
    """Return the inputs of the tool that the person prefers."""
    db = host_of(interaction).resources.db
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

    asked = tool if start.style is None else styled(tool, start.style)

    async def submit(press: Press) -> None:
        filled, photos = filled_in(asked, known, press)
        # A photo that came with the form is the person's own.
        own = replace(terms, photo_author=None) if filled.attached else terms
        # The form names the prices of its choices, the button before it that of none.
        wanted = replace(own, private=filled.private, shown_price=None, shown_prices=known.prices)
        each = [one for one in tool.inputs if filled.values.get(one.name) == EACH]
        begun_with = {one.name: known.values.get(one.name) for one in each}
        given = {name: value for name, value in {**filled.values, **begun_with}.items() if value != EACH}
        try:
            values = given if start.style is None else inputs_of(start.style, tool, given)
            if each:
                for photo in photos:
                    ensure_taken(photo)
                await _ask_each(press, tool, each, values, photos, wanted)
                return
            with in_order(press.interaction):
                await start_once(press.interaction, tool, values, photos, wanted)
        except StudiiBotError as refusal:

            async def again(press: Press) -> None:
                await ask(press.interaction, tool, filled, wanted)

            await show_refused(press.interaction, refusal, again)

    custom_id, fields = kept(host_of(interaction), submit), tool_form(asked, known)
    await show_form(interaction, custom_id, form_title(asked, known), *fields)


MAX_SEEN = 7  # photos beside their lists, of the components that a message has room for; more are above


async def _ask_each(
    press: Press,
    tool: Tool,
    inputs: Sequence[ToolInput],
    values: Values,
    photos: Sequence[SourcePhoto],
    terms: Terms,
    *,
    instead: bool = False,
) -> None:
    """Ask for the first of the inputs of each photo, then for the next one in its place, and start the set at
    last. A photo for which nothing is chosen has that of the `values`.
    """
    host, (one, *others) = press.host, inputs
    of_photos = terms.of_photos or [dict[str, str]()] * len(photos)
    chosen, begun = [dict(own) for own in of_photos], False

    async def choose_for(press: Press, number: int) -> None:
        chosen[number][one.name] = press.values[0]
        await acknowledge(press.interaction)

    async def go_on(press: Press) -> None:
        nonlocal begun
        wanted = replace(terms, of_photos=chosen, in_place=True)
        if others:
            await _ask_each(press, tool, others, values, photos, wanted, instead=True)
            return
        if begun:
            raise Refused(QUESTION_OVER)
        begun = True
        try:
            with in_order(press.interaction):
                await start_once(press.interaction, tool, values, photos, wanted)
        except BaseException:
            begun = False  # it was refused, and can be started later
            raise

    offered = one.suggestions[:MAX_FORM_OPTIONS] if one.name == STYLE else ()
    looks = {value: Look(one.shown(value), tool, {STYLE: value}) for value in offered}
    made, files = await last_results(press.interaction, looks)
    pieces, choosing, above = list[Piece](), kept(host, choose_for), photos if photos[MAX_SEEN:] else ()
    for number, photo in enumerate(photos):
        said = f"**{number + 1}.** {plain(plain_name(photo), LABEL_LENGTH)}"
        seen = ui.Thumbnail[Any](photo.url, spoiler=photo.hidden)
        pieces.append(beside(said, None if above else seen))
        labels = {value: choice(one, value, "") for value in one.suggestions[:MAX_FORM_OPTIONS]}
        options = [discord.SelectOption(label=label, value=value) for value, label in labels.items()]
        placeholder = shortened(capitalised(one.title), CHOICE_LENGTH)
        pieces.append(
            row(ui.Select[Any](custom_id=f"{choosing}:{number}", options=options, placeholder=placeholder))
        )
    usual = one.shown(values.get(one.name) or one.default or "")
    about = (
        _("Where you choose nothing, it is **{value}**.", value=plain(usual, LABEL_LENGTH)) if usual else ""
    )
    prices = terms.shown_prices
    cost = [] if prices is None else [prices.of(tool, values)] * len(photos)
    label = _("Next") if others or not cost else _("Run · {price}", price=short_price(price_of_all(cost)))
    starts = ui.Button[Any](label=label, style=discord.ButtonStyle.primary, custom_id=kept(host, go_on))
    title = f"### {host.catalog.emoji(tool.slug)} {capitalised(one.title)}"
    # The names of what the gallery shows, as Discord draws no captions.
    names = " · ".join(f"{number} {looks[key].name}" for number, key in enumerate(made, 1))
    items = [
        MediaGalleryItem(it.media, description=it.description, spoiler=it.spoiler) for it in made.values()
    ]
    numbered = [
        MediaGalleryItem(one.url, description=f"{number}. {plain_name(one)}", spoiler=one.hidden)
        for number, one in enumerate(above, 1)
    ]
    shown = [ui.MediaGallery[Any](*some) for some in (items, numbered) if some]
    panel = boxed(NEUTRAL, lines(title, small(about), names), *shown, *pieces, row(starts))
    if instead:
        await answer_in_place(press.interaction, panel, files)
    else:
        await answer(press.interaction, panel, files)


async def _known(interaction: discord.Interaction, tool: Tool, start: FormStart, terms: Terms) -> FormStart:
    """Return the start of the form with what the database knows. Raises `Refused`."""
    resources = host_of(interaction).resources
    possible = resources.acceptance.ensure_possible
    return replace(
        start,
        private=terms.private,
        times=len(terms.variants) or 1,
        may_be_private=await resources.db.read(possible, request_for(interaction, tool, terms)),
        prices=await prices_for(interaction),
        set_prices=await _set_prices(interaction, tool, start, terms),
    )


async def prices_for(interaction: discord.Interaction) -> PriceTable:
    """Return what jobs cost in the server of the interaction."""
    return await host_of(interaction).resources.db.read(price_table, server_of(interaction))


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
    resources = host_of(interaction).resources
    return await resources.db.read(resources.acceptance.would_accept, requests)


# A list of tools, and a button for each that opens its form

STYLE_EMOJI = "⭐"
OF_STYLE = "style:"  # the beginning of a choice's value, before the style's id; no slug has a colon
MAX_TOOL_BUTTONS = 25  # of tools in a message, whose 40 components also hold their rows and the words
LABEL_LENGTH = 80


async def choose(
    interaction: discord.Interaction,
    pictures: Sequence[SourcePhoto],
    words: str,
    terms: Terms = AS_USUAL,
) -> None:
    """Let the person choose a tool or a style for these pictures, shown to them alone; then ask, as a form
    does."""
    host, roles = host_of(interaction), member_context(interaction).roles
    tools = [tool for tool in host.catalog.tools.values() if tool.source is not SourceRule.NONE]
    if not tools:
        raise Refused(lazy("No tool here takes a photo."))
    by_slug = {tool.slug: tool for tool in tools[:MAX_FORM_OPTIONS]}
    found = await host.resources.db.read(usable, server_of(interaction), interaction.user.id, roles)
    styles = [one for one in found if one.tool in by_slug and not misfit(host.catalog, one)]
    by_id = {f"{OF_STYLE}{one.id}": one for one in styles[: MAX_FORM_OPTIONS - len(by_slug)]}

    async def picked(press: Press) -> None:
        value = press.values[0]
        if value in by_id:
            await open_style_form(press.interaction, by_id[value], pictures, terms)
        else:
            await begin(press.interaction, by_slug[value], pictures, terms, asking=True)

    options = choices_of(by_slug, by_id, await prices_for(interaction))
    custom_id = kept(host, picked)
    select = ui.Select[Any](custom_id=custom_id, placeholder=_("Choose a tool"), options=options)
    looks = looks_of(by_id.values(), host.catalog)
    made, files = await last_results(interaction, looks)
    seen = [beside(f"{STYLE_EMOJI} **{plain(looks[key].name, 50)}**", one) for key, one in made.items()]
    await answer(interaction, boxed(NEUTRAL, words, *seen, row(select)), files)


def choices_of(
    tools: Mapping[str, Tool], styles: Mapping[str, Style], prices: PriceTable
) -> list[discord.SelectOption]:
    """Return the choices of tools by slug and styles by value, with what each costs."""
    start = FormStart(prices=prices)
    return [
        discord.SelectOption(
            label=shortened(tool.title, CHOICE_LENGTH),
            value=slug,
            description=shortened(f"{start.price(tool)} · {tool.summary}", CHOICE_LENGTH),
            emoji=tool.emoji,
        )
        for slug, tool in tools.items()
    ] + [
        discord.SelectOption(
            label=one.name,
            value=value,
            description=shortened(
                f"{short_price(prices.of(tools[one.tool], one.inputs))} · {tools[one.tool].title}",
                CHOICE_LENGTH,
            ),
            emoji=STYLE_EMOJI,
        )
        for value, one in styles.items()
    ]


# The tools' forms


@button("tool:{tool}")
async def open_tool(press: Press, tool: str) -> None:
    """Open a tool's form."""
    its = press.host.catalog.get(tool)
    await ask(press.interaction, its, FormStart(values=await own_inputs(press.interaction, its)))


def tool_rows(tools: Sequence[Tool]) -> list[ui.ActionRow[Any]]:
    """Return rows with a button for each tool."""
    return button_rows(
        [
            open_tool.looking(label=shortened(tool.title, LABEL_LENGTH), emoji=tool.emoji).of(tool.slug)
            for tool in tools
        ]
    )


# Mentions: only the person who wrote one can press its buttons. Photo and words are read again at the press

WORDS_SHOWN = 200  # characters
MESSAGE_GONE = lazy(
    "I can't see that message any more. Mention me again, with the photo. Nothing was charged."
)
NO_TOOL_TAKES_IT = lazy("No tool here can use that. `/help` shows what you can make.")
UNSEEN = lazy(
    "Discord doesn't show me the photos in other people's messages here. Use the photo's own menu: long "
    "press or right click it, then Apps. Or mention me in the message with the photo."
)


@dataclass(frozen=True, slots=True)
class Mention:
    """The subject of a mention. `unseen`: it replies to a message whose content Discord doesn't show."""

    photos: Sequence[SourcePhoto] = ()
    words: str = ""
    author: int | None = None  # of the photos
    unseen: bool = False


def mentions(message: discord.Message, user: discord.abc.Snowflake) -> bool:
    """Return whether the message itself names the bot.

    A reply to the bot and a mention of its role do not, and Discord need not show their content.
    """
    return _mark(user).search(message.content) is not None


async def read_mention(message: discord.Message, client: discord.Client, resources: Resources) -> Mention:
    """Return the photos and words of a message that mentions the bot, or the photos that it replies to."""
    user = client.user
    words = " ".join(_mark(user).sub(" ", message.content).split()) if user is not None else ""
    photos = taken_of(photos_in(message))
    if photos:
        return Mention(photos, words, message.author.id)
    replied = message.reference.resolved if message.reference is not None else None
    if not isinstance(replied, discord.Message):
        return Mention(words=words)
    photos = taken_of(photo for photo in photos_in(replied) if not is_before(photo))
    if photos:
        return Mention(photos, words, await author_in(replied, client, resources))
    own = user is not None and replied.author.id == user.id
    return Mention(words=words, unseen=not own and not client.intents.message_content)


def tools_for(mention: Mention, tools: Sequence[Tool]) -> list[Tool]:
    """Return the tools for what is in the mention: those that take its photo, or its words alone."""
    if mention.photos:
        return [tool for tool in tools if tool.source is not SourceRule.NONE]
    return [tool for tool in tools if tool.source is not SourceRule.REQUIRED and tool.prompt is not None]


def offer_panel(message: discord.Message, mention: Mention, prices: Sequence[ToolPrice]) -> Panel:
    """Return the offer of these tools to the message's author."""
    buttons = [
        mentioned.looking(
            label=f"{shortened(one.tool.title, LABEL_LENGTH // 2)} · {short_price(one.price)}",
            emoji=one.tool.emoji,
        ).of(one.tool.slug, message.author.id, message.id, one.price.amount)
        for one in prices[:MAX_TOOL_BUTTONS]
    ]
    said = _("“{words}”", words=plain(mention.words, WORDS_SHOWN)) if mention.words else ""
    return boxed(
        NEUTRAL,
        f"### {_('What would you like to make?')}",
        said,
        *button_rows(buttons),
        small(_("For {member}. Nothing is charged before you choose.", member=f"<@{message.author.id}>")),
    )


@button("mention:{tool}:{author}:{message_id}:{price}")
async def mentioned(press: Press, tool: str, author: int, message_id: int, price: int) -> None:
    """Start a tool from a mention, for the person who wrote it. The label names the `price` in credits."""
    if press.interaction.user.id != author:
        raise NotAllowed(
            lazy(
                "Only {member} can use these buttons. Mention me with a photo of your own.",
                member=f"<@{author}>",
            )
        )
    with in_order(press.interaction):
        await _start(press.interaction, press.host.catalog.get(tool), message_id, price)


async def _start(interaction: discord.Interaction, tool: Tool, message_id: int, price: int) -> None:
    channel = interaction.client.get_partial_messageable(
        interaction.channel_id or 0, guild_id=interaction.guild_id
    )
    away = lazy("Discord didn't show me your message. Try again in a moment. Nothing was charged.")
    with refused_as(away, gone=MESSAGE_GONE):
        async with asyncio.timeout(LOOKUP_TIMEOUT):
            message = await read_before_form(interaction, channel.fetch_message(message_id))
    reading = read_mention(message, interaction.client, host_of(interaction).resources)
    mention = await read_before_form(interaction, reading)
    if tool not in tools_for(mention, [tool]):
        raise Refused(MESSAGE_GONE)
    # The bot's offer goes once it is taken.
    offer_id = interaction.message.id if interaction.message is not None else None
    terms = Terms(photo_author=mention.author, offer_id=offer_id, shown_price=price)
    prompt = tool.prompt
    if prompt is None or not mention.words:
        await begin(interaction, tool, mention.photos, terms)
        return
    values = await own_inputs(interaction, tool)
    values[prompt.name] = mention.words[: prompt.max_length]
    if len(mention.photos) > 1 or len(mention.words) > prompt.max_length:
        await ask(interaction, tool, FormStart(mention.photos, values), terms)
    else:
        await start_once(interaction, tool, values, mention.photos, terms)


def _mark(user: discord.abc.Snowflake) -> re.Pattern[str]:
    return re.compile(rf"<@!?{user.id}>")
