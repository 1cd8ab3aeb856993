"""The pieces of every message that the bot shows (Discord's Components V2), and text that is safe in them.

https://discord.com/developers/docs/components/reference
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import discord
from discord import ui

from bot.languages import Message, Worded, and_list, gettext as _, ngettext, quotation_marks
from bot.visible_text import visible

# Characters to escape. Some have a meaning only at the start of a line.
_MARKS = re.compile(r"([\\*_~`|<\[\]]|:(?=//)|^[#>+-]|(?<=^\d)[.)](?=\s))")
# The start of a mention, an emoji or a link; not of a timestamp such as <t:1767268800:R>, nor anything that
# `plain` has escaped.
_OPENINGS = re.compile(r"(?<!\\)((?:\\\\)*)(<(?!t:\d{1,11}(?::[tTdDfFR])?>)|\](?=\())")


def shortened(text: str, length: int) -> str:
    """Return at most `length` visible characters on one line, with an ellipsis where some were left out."""
    line = " ".join(visible(text).split())
    # Cutting through an emoji leaves a joiner at the end.
    return line if len(line) <= length else visible(line[: length - 1]).rstrip() + "…"


def plain(text: str, length: int) -> str:
    """Return a person's own words on one line, without mentions, links and formatting.

    `length` counts what readers see; with the escapes the text may be twice as long.
    """
    return _unmarked(_without_mentions(shortened(text, length)))


def sentence(text: str, length: int = 600) -> str:
    """Return one of our own sentences without mentions; code marks and timestamps stay.

    Quotations, between “ and ” or the other marks of the language, are shown as they were written.
    """
    said = _quotation(*quotation_marks()).sub(
        lambda quoted: _unmarked(quoted[0]), _without_mentions(shortened(text, length))
    )
    return _OPENINGS.sub(r"\1\\\2", said)


@cache
def _quotation(before: str, after: str) -> re.Pattern[str]:
    """Return what finds a quotation, from the first such mark to the last: it may contain more of them."""
    return re.compile(f"(?<={before})(?:.*(?={after})|.*$)")


def named_value(name: str, value: str) -> str:
    """Return a name with what it has, as a line of a list."""
    return _("{name}: {value}", name=name, value=value)


def more_words(count: int) -> str:
    """Return the last line of a list that is cut off, which says how many more there are."""
    return ngettext("and {count} more", "and {count} more", count)


def some(names: Sequence[str], most: int = 25) -> str:
    """Return the first names as a list, and how many more there are."""
    left = len(names) - most
    more = [ngettext("{count} more", "{count} more", left)] if left > 0 else []
    return and_list([*names[:most], *more])


def _unmarked(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)


def _without_mentions(text: str) -> str:
    # Discord parses mentions before backslashes; a zero-width space prevents that.
    return text.replace("@", "@\u200b")


_NAMED = re.compile(r"`/([a-z0-9_-]+(?: [a-z0-9_-]+)*)`")
_linked_ids: dict[str, int] = {}


def know_commands(ids: Mapping[str, int]) -> None:
    """Let texts link these commands: the ids that Discord gave them, by their whole names."""
    _linked_ids.clear()
    _linked_ids.update(ids)


def linked(text: str) -> str:
    """Return the text with a link for each `/command` that is known; others stay as they are."""
    return _NAMED.sub(
        lambda found: f"</{found[1]}:{_linked_ids[found[1]]}>" if found[1] in _linked_ids else found[0], text
    )


def custom_ids(components: Iterable[Any]) -> Iterator[str | None]:
    """Yield the custom ids of all buttons and lists in a message's components."""
    for component in components:
        yield getattr(component, "custom_id", None)
        yield from custom_ids(getattr(component, "children", ()))
        accessory = getattr(component, "accessory", None)
        if accessory is not None:
            yield from custom_ids((accessory,))


BUTTONS_IN_A_ROW = 5

Piece = ui.Item[Any]

NEUTRAL = discord.Colour(0x5865F2)
GOING = discord.Colour(0xE0A800)
GOOD = discord.Colour(0x2E9E5B)
BAD = discord.Colour(0xD83C3E)
UNSURE = discord.Colour(0xE67E22)
QUIET = discord.Colour(0x80848E)


class Panel(ui.LayoutView):
    """The content of a message. All its buttons are lasting ones, so discord.py keeps nothing of it."""

    def __init__(self, *pieces: Piece) -> None:
        super().__init__(timeout=None)
        for piece in pieces:
            self.add_item(piece)
        self.stop()


def box(colour: discord.Colour, *pieces: Piece | Worded) -> ui.Container[Any]:
    """Return a coloured box with the pieces, without empty texts."""
    items = [text(piece) if isinstance(piece, str | Message) else piece for piece in pieces if piece != ""]
    return ui.Container(*items, accent_colour=colour)


def boxed(colour: discord.Colour, *pieces: Piece | Worded) -> Panel:
    """Return a panel with one coloured box: a refusal, that something is done, or more."""
    return Panel(box(colour, *pieces))


def text(content: Worded) -> ui.TextDisplay[Any]:
    return ui.TextDisplay(linked(str(content)))


def beside(words: str, picture: ui.Thumbnail[Any] | None) -> Piece:
    """Return the words, beside a picture if there is one."""
    return text(words) if picture is None else ui.Section(text(words), accessory=picture)


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
