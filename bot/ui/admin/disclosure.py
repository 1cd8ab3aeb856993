"""The panel of `/studii disclosure`, and the words that it takes."""

import unicodedata

from bot.domain.posting import MAX_DISCLOSURE_CHARACTERS, PostingRules
from bot.domain.visible import visible
from bot.errors import Refused
from bot.ui.kit.layout import GOOD, NEUTRAL, Panel, box, lines, small
from bot.ui.kit.text import plain

NO_LINE = "off"
NOT_WRITABLE = (
    "I can only write Latin, Greek and Cyrillic letters, digits and simple signs on pictures. "
    "Nothing was changed."
)
# The alphabets of the font in which labels are written, by how Unicode's names of letters begin.
_WRITABLE = ("LATIN ", "GREEK ", "CYRILLIC ")
_LAST_SIGN = "\u017f"
_LINE = "**Under each result**: {words}. Change it with `line:`, or turn it off with `line:off`."
_NO_LINE = "**Under each result**: nothing. Set words with `line:`."
_LABEL = "**On a copy of each staged picture**: {words}, {place}. Turn it off with `staging:off`."
_NO_LABEL = (
    "**On a copy of each staged picture**: nothing. Set words with `staging:`, such as Virtually staged."
)
_FILES = (
    "Results are posted byte for byte wherever Discord's size limit allows. A smaller, split or labelled "
    "copy says in its metadata (IPTC) that AI was used. It has no C2PA manifest, which would not match it."
)
_NO_ADVICE = "This isn't legal advice: the rules of your country or listing service may ask for more."


def disclosure_panel(rules: PostingRules, *, changed: bool = False) -> Panel:
    """Return what results say of how they were made. `changed`: somebody has just changed that."""
    line = _LINE.format(words=_quoted(rules.disclosure)) if rules.disclosure else _NO_LINE
    place = rules.staging_corner.replace("-", " ")
    label = _LABEL.format(words=_quoted(rules.staging_label), place=place)
    return Panel(
        box(
            GOOD if changed else NEUTRAL,
            f"### 🏷️ {'Disclosure saved' if changed else 'Disclosure'}",
            lines(line, label if rules.staging_label else _NO_LABEL),
            lines(small(_FILES), small(_NO_ADVICE)),
        )
    )


def words_or_off(typed: str) -> str:
    """Return an admin's words on one line; empty if they are `off`."""
    words = " ".join(visible(typed).split())
    return "" if words.casefold() == NO_LINE else words


def words_for_pictures(typed: str) -> str:
    """Return words that can be written on pictures; empty if they are `off`. Raises `Refused` for others."""
    words = words_or_off(typed)
    if not all(map(_is_writable, words)):
        raise Refused(NOT_WRITABLE)
    return words


def _is_writable(character: str) -> bool:
    if character.isalpha():
        return unicodedata.name(character, "").startswith(_WRITABLE)
    return character.isprintable() and character <= _LAST_SIGN


def _quoted(words: str) -> str:
    return f"“{plain(words, MAX_DISCLOSURE_CHARACTERS)}”"
