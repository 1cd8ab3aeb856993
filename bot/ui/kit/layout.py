"""The pieces of every message that the bot shows (Discord's Components V2).

https://discord.com/developers/docs/components/reference
"""

from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import ui

from bot.languages import Message, Worded, gettext as _
from bot.ui.kit.text import linked, plain

BUTTONS_IN_A_ROW = 5

Piece = ui.Item[Any]

NEUTRAL = discord.Colour(0x5865F2)
GOING = discord.Colour(0xE0A800)
GOOD = discord.Colour(0x2E9E5B)
BAD = discord.Colour(0xD83C3E)
UNSURE = discord.Colour(0xE67E22)
QUIET = discord.Colour(0x80848E)


class Panel(ui.LayoutView):
    """The content of a message. All its buttons are lasting ones, so discord.py keeps nothing of it.

    `mark` becomes the number of its first component (see `marks`).
    """

    def __init__(self, *pieces: Piece, mark: int | None = None) -> None:
        super().__init__(timeout=None)
        for piece in pieces:
            self.add_item(piece)
        if mark is not None:
            self.children[0].id = mark
        self.stop()


def box(colour: discord.Colour, *pieces: Piece | Worded) -> ui.Container[Any]:
    """Return a coloured box with the pieces, without empty texts."""
    items = [text(piece) if isinstance(piece, str | Message) else piece for piece in pieces if piece != ""]
    return ui.Container(*items, accent_colour=colour)


def boxed(colour: discord.Colour, *pieces: Piece | Worded, mark: int | None = None) -> Panel:
    """Return a panel with one coloured box: a refusal, that something is done, or more."""
    return Panel(box(colour, *pieces), mark=mark)


def text(content: Worded) -> ui.TextDisplay[Any]:
    return ui.TextDisplay(linked(str(content)))


def small(content: Worded) -> str:
    """Return the line in small grey letters."""
    return f"-# {content}" if content else ""


def server_line(name: str) -> str:
    """Return the last line of a direct message, which says what server it is about."""
    return small(_("Server: {server}", server=plain(name, 100)))


def lines(*pieces: Worded) -> str:
    """Join the pieces that are not empty, each on a line."""
    return "\n".join(piece for piece in map(str, pieces) if piece)


def fitting(listed: Sequence[str], room: int, more: Callable[[int], str], most: int = 100) -> list[str]:
    """Return the first lines, as many as fit into `room` characters, and a line that counts the others."""
    shown: list[str] = []
    for line in listed:
        room -= len(line) + 1
        if room < 0 or len(shown) == most:
            return [*shown, more(len(listed) - len(shown))]
        shown.append(line)
    return shown


def row(*buttons: Piece) -> ui.ActionRow[Any]:
    return ui.ActionRow(*buttons)


def button_rows(buttons: Sequence[Piece]) -> list[ui.ActionRow[Any]]:
    """Return the buttons in rows, each with as many as have room."""
    return [row(*buttons[at : at + BUTTONS_IN_A_ROW]) for at in range(0, len(buttons), BUTTONS_IN_A_ROW)]


def rule() -> ui.Separator[Any]:
    return ui.Separator()
