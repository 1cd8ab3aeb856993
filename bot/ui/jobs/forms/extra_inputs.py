"""The `extra` option: further inputs for Studii, typed in one line."""

import re
from collections.abc import Mapping

from bot.catalog import Tool
from bot.errors import Refused
from bot.languages import lazy, paragraph
from bot.ui.kit.text import plain

MAX_PAIRS = 10
MAX_EXTRA_CHARACTERS = 1000
MAX_VALUE_CHARACTERS = 200
EXAMPLE = lazy('Write it like `seed=42 mood="warm light"`.')
_TOO_LONG = lazy("`extra` can have at most {most} characters. Yours has {length}.")
_VALUE_TOO_LONG = lazy("`{input}` in `extra` can have at most {most} characters.")
_NO_PAIR = lazy("In `extra`, “{piece}” isn't a `key=value` pair.")
_NO_NAME = lazy(
    "In `extra`, “{piece}” doesn't start with a name (a letter, then letters, digits and `_`) and an `=`."
)
_NO_VALUE = lazy("In `extra`, `{input}` has no value.")
_COMMAS = lazy(
    "In `extra`, separate pairs with spaces, not commas. If the comma is part of `{input}`, put its value in "
    "quotes."
)
_AN_OPTION = lazy("`{input}` is an option of the command. Use that instead of `extra`.")
_FROM_THE_PHOTO = lazy("`{input}` depends on whether you attach a photo. Leave it out of `extra`.")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_LISTED = re.compile(r"[,;](?:[A-Za-z][A-Za-z0-9_]{0,31}=|$)")  # `a=1,b=2`, and `a=1, b=2`
_CURLY = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})  # phones type these


def extra_inputs(typed: str | None, tool: Tool) -> dict[str, str]:
    """Parse what was typed for a tool. Raises `Refused`. The rules of access decide who may use `extra`."""
    if not typed or not typed.strip():
        return {}
    pairs = parsed(typed)
    _ensure_new(pairs, tool)
    return pairs


def parsed(typed: str) -> dict[str, str]:
    """Parse `key=value` pairs with spaces between them.

    A value with spaces is quoted; in quotes a backslash escapes the next character. Raises `Refused` with
    what is wrong and where.
    """
    if len(typed) > MAX_EXTRA_CHARACTERS:
        raise Refused(_TOO_LONG.using(most=MAX_EXTRA_CHARACTERS, length=len(typed)))
    text = typed.strip()
    pairs: dict[str, str] = {}
    place = 0
    while place < len(text):
        name, place = _name(text, place)
        value, place = _value(text, place, name)
        if name in pairs:
            raise Refused(lazy("`extra` has `{input}` twice. Keep one of them.", input=name))
        if len(value) > MAX_VALUE_CHARACTERS:
            raise Refused(_VALUE_TOO_LONG.using(input=name, most=MAX_VALUE_CHARACTERS))
        pairs[name] = value
        if len(pairs) > MAX_PAIRS:
            raise Refused(lazy("`extra` takes at most {most} pairs.", most=MAX_PAIRS))
        place += len(text[place:]) - len(text[place:].lstrip())
    return pairs


def _name(text: str, place: int) -> tuple[str, int]:
    found = _NAME.match(text, place)
    if found is None or text[found.end() : found.end() + 1] != "=":
        piece = text[place:].split(maxsplit=1)[0]
        wrong = _NO_NAME if "=" in piece else _NO_PAIR
        raise Refused(paragraph(wrong.using(piece=plain(piece, 40)), EXAMPLE))
    return found[0], found.end() + 1


def _value(text: str, place: int, name: str) -> tuple[str, int]:
    quote = text[place : place + 1].translate(_CURLY)
    if quote not in {'"', "'"}:
        found = re.compile(r"\S*").match(text, place)
        value = found[0] if found else ""
        if not value:
            raise Refused(paragraph(_NO_VALUE.using(input=name), EXAMPLE))
        if _LISTED.search(value):
            raise Refused(paragraph(_COMMAS.using(input=name), EXAMPLE))
        return value, place + len(value)
    value, at = "", place + 1
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            value, at = value + text[at + 1], at + 2
        elif character.translate(_CURLY) == quote:
            return _closed(text, at + 1, name, value)
        else:
            value, at = value + character, at + 1
    wrong = lazy("In `extra`, the value of `{input}` has no closing quote.", input=name)
    raise Refused(paragraph(wrong, EXAMPLE))


def _closed(text: str, place: int, name: str, value: str) -> tuple[str, int]:
    if not value:
        raise Refused(paragraph(_NO_VALUE.using(input=name), EXAMPLE))
    if place < len(text) and not text[place].isspace():
        wrong = lazy("In `extra`, put a space after the value of `{input}`.", input=name)
        raise Refused(paragraph(wrong, EXAMPLE))
    return value, place


def _ensure_new(pairs: Mapping[str, str], tool: Tool) -> None:
    for one in tool.inputs:
        if one.name in pairs:
            raise Refused(_AN_OPTION.using(input=one.name))
    flag = tool.source_flag
    if flag is not None and flag.name in pairs:
        raise Refused(_FROM_THE_PHOTO.using(input=flag.name))
