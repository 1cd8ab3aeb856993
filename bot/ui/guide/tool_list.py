"""The panel of `/tools`: each tool with an example, its price, and whether the member may use it now."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import discord
from discord import ui

from bot.catalog import SourceRule, Tool
from bot.credits.prices import OtherPrice, ToolPrice, price_words, short_price
from bot.languages import and_list, gettext as _, lazy, sentences
from bot.ui.account.credits import DEFAULT_HOLDS, own_limits
from bot.ui.guide.available_tools import AvailableTools, hindrance_of, hindrance_words, left_out_words
from bot.ui.jobs.forms.tool_picker import tool_rows
from bot.ui.kit.layout import BUTTONS_IN_A_ROW, GOING, NEUTRAL, Panel, Piece, boxed, lines, rule, small, text
from bot.ui.kit.text import named_value, plain

EXAMPLES = Path(__file__).parents[1] / "examples"
MAX_EXAMPLE_PICTURES = 9  # of the 10 files that a message holds
MAX_PIECES = 32  # of the 40 components that a message holds: a tool takes two, with a picture four
MAX_GUIDE_CHARACTERS = 3200  # of the 4,000 that a message holds
MAX_OTHER_PRICES = 4  # prices of other choices, for each tool

_PHOTO = {
    SourceRule.NONE: lazy("From text"),
    SourceRule.OPTIONAL: lazy("From text, or a photo and text"),
    SourceRule.REQUIRED: lazy("From a photo"),
}


def example_name(slug: str) -> str:
    return f"{slug}.jpg"


def read_examples(slugs: Sequence[str]) -> dict[str, bytes]:
    """Read the pictures of the tools that have one. Call it in a thread."""
    found = {slug: EXAMPLES / example_name(slug) for slug in slugs}
    return {slug: path.read_bytes() for slug, path in found.items() if path.is_file()}


def tools_panel(available: AvailableTools, pictures: Mapping[str, bytes]) -> tuple[Panel, list[discord.File]]:
    """Return the panel, and the files that it shows. `pictures` are the examples, by slug."""
    shown: list[Piece] = []
    files: list[discord.File] = []
    written = pieces = 0
    for one in available.prices:
        words = _tool_words(one, available)
        picture = pictures.get(one.tool.slug) if len(files) < MAX_EXAMPLE_PICTURES else None
        written += len(words)
        pieces += 2 if picture is None else 4
        rows = len(shown) // BUTTONS_IN_A_ROW + 1
        if written > MAX_GUIDE_CHARACTERS or pieces + rows > MAX_PIECES:
            break
        if picture is None:
            shown.append(text(words))
            continue
        name = example_name(one.tool.slug)
        files.append(discord.File(io.BytesIO(picture), filename=name))
        alt = _("{tool}: example", tool=one.tool.title)
        shown.append(ui.Section(text(words), accessory=ui.Thumbnail(f"attachment://{name}", description=alt)))
    more = len(available.prices) - len(shown)
    usable = [one.tool for one in available.prices[: len(shown)] if available.allows(one.tool)]
    title = _("What you can make here")
    note = _("`/credits` shows your usage. Prices follow Studii's latest charges. Only you can see this.")
    panel = boxed(
        NEUTRAL if available.is_open else GOING,
        f"### 🧰 {title}",
        _left_words(available),
        rule(),
        *shown,
        rule(),
        left_out_words(more) if more else "",
        *tool_rows(usable),
        small(note),
    )
    return panel, files


def _left_words(available: AvailableTools) -> str:
    budget = available.limits.budget
    return lines(
        hindrance_words(available),
        sentences(_("**{left}** in this server.", left=budget.left_words), budget.renewal_words),
        *own_limits(available.limits),
        small(DEFAULT_HOLDS) if budget.is_default else "",
    )


def _tool_words(one: ToolPrice, available: AvailableTools) -> str:
    tool = one.tool
    return lines(
        f"{tool.emoji} **{tool.title}** · `/{tool.slug}`",
        tool.summary,
        small(f"{_PHOTO[tool.source]} · {_prices(one)}"),
        hindrance_of(one, available),
    )


def _prices(one: ToolPrice) -> str:
    """Return the price, and those of other choices, always with the highest; if unknown, what changes it."""
    usual = price_words(one.price)
    if one.others:
        shown = (*one.others[: MAX_OTHER_PRICES - 1], one.others[-1])[: len(one.others)]
        return " · ".join([usual, *(_other_words(one.tool, other) for other in shown)])
    priced = [f"`{chosen.name}`" for chosen in one.tool.inputs if chosen.price]
    return _("{price}, depending on {inputs}", price=usual, inputs=and_list(priced)) if priced else usual


def _other_words(tool: Tool, other: OtherPrice) -> str:
    named = [tool.named_value(name, value) for name, value in other.choices.items()]
    chosen = and_list([f"{name} **{plain(value, 30)}**" for name, value in named])
    return named_value(chosen, str(short_price(other.price)))
