"""Text that others wrote, made safe for a message: nobody is pinged, nothing is formatted or hidden."""

import re

from bot.domain.visible import visible

# A backslash in front takes a mark's meaning away. Some mean something at the start of a line alone.
_MARKS = re.compile(r"([\\*_~`|<\[\]]|:(?=//)|^[#>+-]|(?<=^\d)[.)](?=\s))")
# What opens a mention, an emoji or a link, but not a moment such as <t:1767268800:R>; nor what `plain` has
# seen to already.
_OPENINGS = re.compile(r"(?<!\\)((?:\\\\)*)(<(?!t:\d{1,11}(?::[tTdDfFR])?>)|\](?=\())")
# What somebody else said, from the first such mark to the last: there may be more of them in it.
_QUOTED = re.compile(r"(?<=“)(?:.*(?=”)|.*$)")
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def shortened(text: str, length: int) -> str:
    """Return at most `length` visible characters on one line, with an ellipsis where some were left out."""
    line = " ".join(visible(text).split())
    # A cut through an emoji leaves a joiner at the end.
    return line if len(line) <= length else visible(line[: length - 1]).rstrip() + "…"


def plain(text: str, length: int) -> str:
    """Somebody's own words on one line, as they were typed: no mention, link or formatting is left.

    `length` is what readers see; with what takes the marks' meaning away, it may be twice as much.
    """
    return _unmarked(_without_mentions(shortened(text, length)))


def sentence(text: str, length: int = 600) -> str:
    """One of our own sentences: code marks and moments stay, mentions do not.

    What it quotes of others, between “ and ”, is shown as they wrote it.
    """
    said = _QUOTED.sub(lambda quoted: _unmarked(quoted[0]), _without_mentions(shortened(text, length)))
    return _OPENINGS.sub(r"\1\\\2", said)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    suffix = "th" if number % 100 in {11, 12, 13} else _ORDINALS.get(number % 10, "th")
    return f"{number}{suffix}"


def _unmarked(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)


def _without_mentions(text: str) -> str:
    # Discord finds mentions before it looks at backslashes; a space without width keeps them apart.
    return text.replace("@", "@\u200b")
