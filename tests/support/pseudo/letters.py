"""How sentences are written in the pseudo-language, and read back."""

import inspect
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations
from pathlib import Path

from bot.languages import Language, speaking
from tests.support.messages import most_characters, template

OPENING, CLOSING, PADDING = "⟦", "⟧", "‥"
LONGER_BY = 3  # a third of each sentence's length, as translations are
_LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ACCENTED = "àƀćďèƒĝĥìĵķĺṁñòṕɋŕšţùṽŵẋýžÀƁĆĎÈƑĜĤÌĴĶĹṀÑÒṔɊŔŠŢÙṼŴẊÝŽ"
_WRITTEN = str.maketrans(_LATIN, _ACCENTED)
_READ = str.maketrans(_ACCENTED, _LATIN, OPENING + CLOSING + PADDING)
_OURS = frozenset(_ACCENTED + PADDING + " ")
_BRACKETS = re.compile(f"([{OPENING}{CLOSING}])")
# What translators leave as it is: values to fill in, code, addresses, mentions and timestamps.
KEPT = re.compile(r"(\{[^{}]*\}|`[^`]*`|https?://[^\s)>]+|<[^<>\s]+>|</[^<>]+>)")
_ROOT = Path(__file__).parents[3]
_BETWEEN = (
    *(str(_ROOT / one) for one in ("bot/languages", "bot/catalog.py")),
    __file__,
)
_TESTS = str(_ROOT / "tests")


def written(sentence: str, most: int | None = None) -> str:
    """Return the sentence in the pseudo-language: longer, accented, in brackets.

    It is no longer than `most` characters if the sentence isn't.
    """
    pieces = KEPT.split(sentence)
    pieces[::2] = [one.translate(_WRITTEN) for one in pieces[::2]]
    room = len(sentence) if most is None else most - len(sentence) - len(OPENING + CLOSING)
    padding = PADDING * min(-(-len(sentence) // LONGER_BY), room)
    return f"{OPENING}{''.join(pieces)}{padding}{CLOSING}"


def read(text: str) -> str:
    """Return the English of a text that holds sentences of the pseudo-language, and other people's words."""
    return text.translate(_READ)


def cut_off(text: str) -> bool:
    """Return whether a sentence of the bot ends too early. One that mostly quotes what people wrote may."""
    begun: list[str] = []
    for piece in _BRACKETS.split(text):
        if piece == OPENING:
            begun.append("")
        elif piece == CLOSING:
            if not begun:
                return True
            begun.pop()
        else:
            begun = [one + piece for one in begun]
    return any(2 * sum(letter in _OURS for letter in one) > len(one) for one in begun)


class PseudoTranslations(NullTranslations):
    """Translates everything that the bot words.

    What a test words itself, to compare it with what was shown, stays English, and so does what is worded
    `in_english`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._in_english: ContextVar[bool] = ContextVar("in English", default=False)

    def gettext(self, message: str) -> str:
        return self._word(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._word(msgid1, super().ngettext(msgid1, msgid2, n))

    def pgettext(self, context: str, message: str) -> str:
        return self._word(message, message)

    @contextmanager
    def in_english(self) -> Generator[None]:
        """Leave everything inside in English."""
        token = self._in_english.set(True)
        try:
            yield
        finally:
            self._in_english.reset(token)

    def _word(self, key: str, sentence: str) -> str:
        if key not in _longest() or self._in_english.get() or _asked_by_a_test():
            return sentence
        return written(sentence, _longest()[key])


TRANSLATIONS = PseudoTranslations()


@contextmanager
def speaking_of_commands(language: Language) -> Generator[None]:
    """Word commands, which are in all languages at once, with English as it is."""
    with speaking(language), TRANSLATIONS.in_english():
        yield


def preload() -> None:
    """Read the sentences, which takes a while."""
    _longest()


@cache
def _longest() -> dict[str, int | None]:
    """Return the bot's own sentences, each with how long it may be if it has no room for more."""
    ids = ((one.id if isinstance(one.id, str) else one.id[0], one) for one in template())
    return {sentence: most_characters(one) for sentence, one in ids}


def _asked_by_a_test() -> bool:
    frame = inspect.currentframe()
    assert frame is not None
    while frame.f_back and frame.f_code.co_filename.startswith(_BETWEEN):
        if frame.f_code.co_name == "in_any_language":
            return True  # it is compared with what a test has typed
        frame = frame.f_back
    return frame.f_code.co_filename.startswith(_TESTS) or "_pytest" in frame.f_code.co_filename
