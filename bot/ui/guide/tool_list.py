"""Each tool in `/help`: an example, its prices, and whether the member may use it now."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import discord
from discord import ui

from bot.catalog import SourceRule, Tool
from bot.credits.prices import OtherPrice, ToolPrice, price_words, short_price
from bot.languages import and_list, gettext as _, lazy
from bot.ui.kit.layout import BUTTONS_IN_A_ROW, Piece, lines, small, text
from bot.ui.kit.text import named_value, plain

EXAMPLES = Path(__file__).parents[1] / "examples"
MAX_EXAMPLE_PICTURES = 9  # of the 10 files that a message holds
MAX_PIECES = 30  # of the 40 components that a message holds: a tool takes two, with a picture four
MAX_TOOL_CHARACTERS = 1800  # of the 4,000 that a message holds
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


def tool_pieces(
    prices: Sequence[ToolPrice], hindrances: Mapping[str, str], pictures: Mapping[str, bytes]
) -> tuple[list[Piece], list[discord.File]]:
    """Return a piece for each of the first tools, as many as fit into a message, and their files.

    `hindrances` say what keeps the member from a tool, and `pictures` are the examples, both by slug.
    """
    shown: list[Piece] = []
    files: list[discord.File] = []
    written = pieces = 0
    for one in prices:
        words = _tool_words(one, hindrances.get(one.tool.slug, ""))
        picture = pictures.get(one.tool.slug) if len(files) < MAX_EXAMPLE_PICTURES else None
        written += len(words)
        pieces += 2 if picture is None else 4
        rows = len(shown) // BUTTONS_IN_A_ROW + 1
        if written > MAX_TOOL_CHARACTERS or pieces + rows > MAX_PIECES:
            break
        if picture is None:
            shown.append(text(words))
            continue
        name = example_name(one.tool.slug)
        files.append(discord.File(io.BytesIO(picture), filename=name))
        alt = _("{tool}: example", tool=one.tool.title)
        shown.append(ui.Section(text(words), accessory=ui.Thumbnail(f"attachment://{name}", description=alt)))
    return shown, files


def _tool_words(one: ToolPrice, hindrance: str) -> str:
    tool = one.tool
    return lines(
        f"{tool.emoji} **{tool.title}** · `/{tool.slug}`",
        tool.summary,
        small(f"{_PHOTO[tool.source]} · {_prices(one)}"),
        small(hindrance),
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
