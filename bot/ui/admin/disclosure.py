"""The panel of `/studii disclosure`, and the words that it takes."""

from collections.abc import Mapping

from bot.errors import Refused
from bot.features.posting import MAX_DISCLOSURE_CHARACTERS, PostingRules
from bot.languages import N_, gettext, gettext as _, lazy
from bot.ui.kit.layout import GOOD, NEUTRAL, Panel, boxed, lines, small
from bot.ui.kit.text import plain
from bot.visible_text import visible

NO_LINE = "off"
NOT_WRITABLE = lazy(
    "Only Latin, Greek, Cyrillic and Japanese letters, digits and simple signs can "
    "be written on pictures. Nothing was changed."
)
CORNER_NAMES: Mapping[str, str] = {
    "bottom-left": N_("bottom left"),
    "bottom-right": N_("bottom right"),
    "top-left": N_("top left"),
    "top-right": N_("top right"),
}


def disclosure_panel(rules: PostingRules, *, changed: bool) -> Panel:
    """Return what results say of how they were made. `changed`: an admin has just changed that."""
    title = _("Disclosure saved") if changed else _("Disclosure")
    files = _(
        "Results are posted byte for byte wherever Discord's size limit allows. A "
        "smaller, split or labelled copy says in its metadata (IPTC) that AI was used. "
        "It has no C2PA manifest, because the original's wouldn't match it."
    )
    no_advice = _("This isn't legal advice: the rules of your country or listing service may ask for more.")
    return boxed(
        GOOD if changed else NEUTRAL,
        f"### 🏷️ {title}",
        lines(_line(rules), _label(rules)),
        lines(small(files), small(no_advice)),
    )


def _line(rules: PostingRules) -> str:
    if not rules.disclosure:
        return _("**Under each result**: nothing. Set words with `line:`.")
    return _(
        "**Under each result**: “{words}”. Change it with `line:`, or turn it off with `line:off`.",
        words=plain(rules.disclosure_words, MAX_DISCLOSURE_CHARACTERS),
    )


def _label(rules: PostingRules) -> str:
    if not rules.staging_label:
        return _(
            "**On a copy of each staged picture**: nothing. Set words with `staging:`, such as Virtually "
            "staged."
        )
    # Translators: place is a corner of the picture, such as bottom left
    return _(
        "**On a copy of each staged picture**: “{words}”, {place}. Turn it off with `staging:off`.",
        words=plain(rules.staging_label, MAX_DISCLOSURE_CHARACTERS),
        place=gettext(CORNER_NAMES[rules.staging_corner]),
    )


def words_or_off(typed: str) -> str:
    """Return an admin's words on one line; empty if they are `off`."""
    words = " ".join(visible(typed).split())
    return "" if words.casefold() == NO_LINE else words


def words_for_pictures(typed: str) -> str:
    """Return words that can be written on pictures; empty if they are `off`. Raises `Refused` for others."""
    words = words_or_off(typed)
    # Imported here: few servers write on pictures, and Pillow takes memory.
    from bot.media.fonts import is_writable

    if not all(map(is_writable, words)):
        raise Refused(NOT_WRITABLE)
    return words
