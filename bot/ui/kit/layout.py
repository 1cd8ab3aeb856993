"""The pieces that everything we show is made of (Discord's Components V2).

https://discord.com/developers/docs/components/reference
"""

from collections.abc import Iterable
from typing import Any

import discord
from discord import ui

URL_LIMIT = 512  # characters of a link button's address

Piece = ui.Item[Any]

EDIT, EDIT_LABEL, EDIT_STYLE = "edit", "Edit", discord.ButtonStyle.primary

NEUTRAL = discord.Colour(0x5865F2)
GOING = discord.Colour(0xE0A800)
GOOD = discord.Colour(0x2E9E5B)
BAD = discord.Colour(0xD83C3E)
UNSURE = discord.Colour(0xE67E22)
QUIET = discord.Colour(0x80848E)


class Panel(ui.LayoutView):
    """What a message shows. All its buttons find their code by their custom id, so nothing is kept of it."""

    def __init__(self, *pieces: Piece) -> None:
        super().__init__(timeout=None)
        for piece in pieces:
            self.add_item(piece)
        self.stop()


def box(colour: discord.Colour, *pieces: Piece | str) -> ui.Container[Any]:
    """A coloured box; empty texts are left out."""
    return ui.Container(*_items(pieces), accent_colour=colour)


def text(content: str) -> ui.TextDisplay[Any]:
    return ui.TextDisplay(content)


def small(content: str) -> str:
    """A line in small grey letters."""
    return f"-# {content}" if content else ""


def lines(*pieces: str) -> str:
    """The pieces that are not empty, each on its line."""
    return "\n".join(piece for piece in pieces if piece)


def row(*buttons: Piece) -> ui.ActionRow[Any]:
    made: ui.ActionRow[Any] = ui.ActionRow()
    for button in buttons:
        made.add_item(button)
    return made


def rule() -> ui.Separator[Any]:
    return ui.Separator()


def notice(words: str, colour: discord.Colour = BAD) -> Panel:
    """One sentence for one person: a refusal, or that something is done."""
    return Panel(box(colour, words))


def _items(pieces: Iterable[Piece | str]) -> list[Piece]:
    return [text(piece) if isinstance(piece, str) else piece for piece in pieces if piece != ""]
