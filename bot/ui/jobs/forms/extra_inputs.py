"""Inputs that are typed in one line: those of a preset, and the `extra` option's further ones for Studii."""

import re
from collections.abc import Mapping

from bot.catalog import Tool
from bot.errors import Refused
from bot.languages import lazy, paragraph
from bot.ui.kit.text import plain

MAX_INPUTS_CHARACTERS = 500
MAX_PAIRS = 10
MAX_EXTRA_CHARACTERS = 1000
MAX_VALUE_CHARACTERS = 200
EXAMPLE = lazy('Write it like `seed=42 mood="warm light"`.')
_TOO_LONG = lazy("`extra` can have at most {most} characters. Yours has {length}.")
_VALUE_TOO_LONG = lazy("`{input}` in `extra` can have at most {most} characters.")
_NO_PAIR = lazy(
    "In `extra`, “{piece}” isn't a `key=value` pair. A value with spaces needs quotes around it, and a space "
    "after them."
)
_COMMAS = lazy(
    "In `extra`, separate pairs with spaces, not commas. If the comma is part of `{input}`, put its value in "
    "quotes."
)
_AN_OPTION = lazy("`{input}` is an option of the command. Use that instead of `extra`.")
_FROM_THE_PHOTO = lazy("`{input}` depends on whether you attach a photo. Leave it out of `extra`.")
_DOUBLE, _SINGLE = '"“”„', "'‘’"  # phones type curly ones
_PAIR = re.compile(
    rf"([A-Za-z][A-Za-z0-9_]{{0,31}})=(?:[{_DOUBLE}]((?:\\.|[^{_DOUBLE}\\])+)[{_DOUBLE}]"
    rf"|[{_SINGLE}]((?:\\.|[^{_SINGLE}\\])+)[{_SINGLE}]|([^\s{_DOUBLE}{_SINGLE}]\S*))(?:\s+|$)",
    re.DOTALL,
)
_LISTED = re.compile(r"[,;](?:[A-Za-z][A-Za-z0-9_]{0,31}=|$)")  # `a=1,b=2`, and `a=1, b=2`


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
    text, place, pairs = typed.strip(), 0, dict[str, str]()
    while place < len(text):
        found = _PAIR.match(text, place)
        if found is None:
            piece = text[place:].split(maxsplit=1)[0]
            raise Refused(paragraph(_NO_PAIR.using(piece=plain(piece, 40)), EXAMPLE))
        name, double, single, bare = found.groups()
        if bare and _LISTED.search(bare):
            raise Refused(paragraph(_COMMAS.using(input=name), EXAMPLE))
        if name in pairs:
            raise Refused(lazy("`extra` has `{input}` twice. Keep one of them.", input=name))
        pairs[name] = bare or re.sub(r"\\(.)", r"\1", double or single, flags=re.DOTALL)
        if len(pairs[name]) > MAX_VALUE_CHARACTERS:
            raise Refused(_VALUE_TOO_LONG.using(input=name, most=MAX_VALUE_CHARACTERS))
        if len(pairs) > MAX_PAIRS:
            raise Refused(lazy("`extra` takes at most {most} pairs.", most=MAX_PAIRS))
        place = found.end()
    return pairs


def _ensure_new(pairs: Mapping[str, str], tool: Tool) -> None:
    for one in tool.inputs:
        if one.name in pairs:
            raise Refused(_AN_OPTION.using(input=one.name))
    flag = tool.source_flag
    if flag is not None and flag.name in pairs:
        raise Refused(_FROM_THE_PHOTO.using(input=flag.name))


def inputs_from(typed: str | None) -> dict[str, str]:
    """Parse `style=rustic, room=bedroom`. Raises `Refused` for anything else."""
    inputs: dict[str, str] = {}
    for piece in re.split(r",(?=\s*\w+\s*=)", typed or ""):
        name, sign, value = piece.partition("=")
        if not piece.strip():
            continue
        if not (sign and name.strip() and value.strip()):
            raise Refused(
                lazy("Write `inputs` as name=value pairs, separated by commas: style=rustic, room=bedroom")
            )
        inputs[name.strip().lower()] = value.strip()
    return inputs
