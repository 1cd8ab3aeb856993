"""The language of what people read: whole English sentences in the code, translated with GNU gettext.

Code says `from bot.languages import gettext as _`. What builds something to show does it in the language of
its readers, `with speaking(language):`. What is worded later, or for several readers, is a `Message`.

Placeholders are named. A number among the arguments is written as the language writes numbers; an id is
therefore given as text. Babel finds the sentences by the names of these functions, so each is called with
literal strings: https://babel.pocoo.org/en/latest/messages.html
"""

import re
import unicodedata
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Annotated, Literal, Protocol, Self

from babel import dates, lists, numbers
from msgspec import Meta

FOLDER = Path(__file__).with_name("catalogues")


class Language(StrEnum):
    """The languages that the bot speaks. The values are stored, and name the catalogues' folders."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"
    SPANISH = "es"
    PORTUGUESE = "pt_BR"
    JAPANESE = "ja"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Return the language that a catalogue of tools calls by another name: pt-BR."""
        return next((one for one in cls if one.replace("_", "-") == value), None)


OWN_NAMES = {  # of each in itself
    Language.ENGLISH: "English",
    Language.GERMAN: "Deutsch",
    Language.FRENCH: "Français",
    Language.SPANISH: "Español",
    Language.PORTUGUESE: "Português do Brasil",
    Language.JAPANESE: "日本語",
}

# What Discord calls them. https://discord.com/developers/docs/reference#locales
_DISCORD_LOCALES = {
    "en-US": Language.ENGLISH,
    "en-GB": Language.ENGLISH,
    "de": Language.GERMAN,
    "fr": Language.FRENCH,
    "es-ES": Language.SPANISH,
    "es-419": Language.SPANISH,
    "pt-BR": Language.PORTUGUESE,
    "ja": Language.JAPANESE,
}
# Each task has a context of its own: people who are answered at the same time don't change each other's.
_spoken: ContextVar[Language] = ContextVar("language", default=Language.ENGLISH)


def spoken() -> Language:
    """Return the language of what is worded now: English where no one has said otherwise."""
    return _spoken.get()


@contextmanager
def speaking(language: Language) -> Generator[None]:
    """Word everything inside in that language."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def speak(language: Language) -> None:
    """Word everything in that language from now on, in the task that calls this and those that it starts."""
    _spoken.set(language)


class ReaderLanguages(Protocol):
    """Says in which language to speak in a server, and to one person."""

    heard: dict[int, Language]  # of members who use the bot; it is stored a little later

    def forget(self, user_id: int, /) -> None:
        """Store nothing more of the member, whose data is being erased."""

    async def in_server(self, guild_id: int, /) -> Language: ...
    async def of_person(self, user_id: int, guild_id: int, /) -> Language: ...


def known_language(locale: str) -> Language | None:
    """Return the language of one of Discord's locales, or None if the bot does not speak it."""
    return _DISCORD_LOCALES.get(locale)


@cache
def translations_of(language: Language) -> NullTranslations:
    """Return the language's translations. English is what the code says, so it has none."""
    return translation("studii", FOLDER, [language], fallback=True)


def load_all() -> None:
    """Read all catalogues, so that no answer waits for the disk."""
    for language in Language:
        translations_of(language)


# Numbers, dates and lists, by Babel. https://babel.pocoo.org/en/latest/api/index.html
_QUOTATION_MARKS = {
    Language.ENGLISH: ("“", "”"),
    Language.GERMAN: ("„", "“"),
    Language.FRENCH: ("«\u00a0", "\u00a0»"),
    Language.SPANISH: ("«", "»"),
    Language.PORTUGUESE: ("“", "”"),
    Language.JAPANESE: ("「", "」"),
}
# Spanish "y" and "o" before a word that begins with the same sound: "uno e imagen", "siete u ocho".
_LIKE_Y = re.compile(r"(?:h?í|h?i(?![aeo]))", re.IGNORECASE)
_LIKE_O = re.compile(r"h?[oó]|8|11(?!\d)", re.IGNORECASE)
_MARKS = "*_`~|«“‘\"'(¡¿"  # before a word, not spoken
# What some languages call the first day of a month. Babel writes it like the other days: "1 mars".
_FIRST = {Language.FRENCH: "1er", Language.PORTUGUESE: "1º"}


def number(value: int) -> str:
    """Return the number with the separators of thousands: 1,200 or 1.200."""
    # Spanish separates from five digits on: 1200, 12.000. Babel doesn't know this rule of its own data.
    # https://www.unicode.org/reports/tr35/tr35-numbers.html#Examples_of_minimumGroupingDigits
    if abs(value) < (10_000 if spoken() is Language.SPANISH else 1000):
        return str(value)
    return numbers.format_decimal(value, locale=spoken().value)


def decimal(value: float) -> str:
    """Return the number with at most one decimal place, and none if that is 0."""
    return numbers.format_decimal(round(value, 1), locale=spoken().value, decimal_quantization=False)


def day_words(day: date, *, short: bool = False) -> str:
    """Return the day without its year: `March 5`, or with the month shortened `Mar 5`."""
    written = dates.format_skeleton("MMMd" if short else "MMMMd", day, locale=spoken().value)
    first = _FIRST.get(spoken())
    return re.sub("^1(?= )", first, written) if first else written


def month_words(month: date) -> str:
    """Return the month with its year: `March 2026`."""
    return dates.format_skeleton("yMMMM", month, locale=spoken().value)


def discord_timestamp(moment: datetime, style: Literal["t", "T", "d", "D", "f", "F", "R"] = "R") -> str:
    """Return a timestamp that Discord shows in each reader's zone and language, relative for "R".

    https://discord.com/developers/docs/reference#message-formatting
    """
    return f"<t:{int(moment.timestamp())}:{style}>"


def whole_number(typed: str) -> int | None:
    """Return the whole number that a person typed as their language writes it, or None if it isn't one.

    `1.200` is a number in German, and 1,200 everywhere; `1.5` is none. Full-width digits count as digits.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    group = unicodedata.normalize("NFKC", numbers.get_group_symbol(spoken().value))
    separators = re.escape(",' ’" + group)  # those of any language, and the language's own
    if not re.fullmatch(rf"[0-9]+|[0-9]{{1,3}}(?:([{separators}])[0-9]{{3}})(?:\1[0-9]{{3}})*", text):
        return None
    return int(re.sub("[^0-9]", "", text))


def and_list(items: Sequence[str]) -> str:
    """Return the items as one list: `a, b, and c`."""
    return _listed(items, "standard", ("y", "e", _LIKE_Y))


def sentences(*pieces: object) -> str:
    """Return the sentences that are not empty, one after the other."""
    return ("" if spoken() is Language.JAPANESE else " ").join(said for said in map(str, pieces) if said)


def quotation_marks() -> tuple[str, str]:
    """Return the marks before and after what is quoted."""
    return _QUOTATION_MARKS[spoken()]


def or_list(items: Sequence[str]) -> str:
    """Return the items as alternatives: `a, b, or c`."""
    return _listed(items, "or", ("o", "u", _LIKE_O))


def _listed(
    items: Sequence[str], style: Literal["standard", "or"], spanish: tuple[str, str, re.Pattern[str]]
) -> str:
    """Return the items as one list. `spanish`: its word before the last, what it becomes, and before what."""
    if not items:
        return ""
    listed = lists.format_list(items, style=style, locale=spoken().value)
    word, changed, before = spanish
    last = items[-1]
    if spoken() is Language.SPANISH and len(items) > 1 and before.match(last.lstrip(_MARKS)):
        return f"{listed.removesuffix(f' {word} {last}')} {changed} {last}"
    return listed


def N_(message: str) -> str:  # noqa: N802 - its name in every project that uses gettext
    """Mark a sentence that is translated elsewhere, and return it as it is."""
    return message


def gettext(message: str, /, **arguments: object) -> str:
    """Return the sentence in the language that is spoken now."""
    return _filled(unfilled(message), arguments)


def unfilled(message: str) -> str:
    """Return a text that was marked elsewhere, in the language that is spoken now, with nothing filled in."""
    return translations_of(spoken()).gettext(message)


def ngettext(one: str, many: str, count: int, /, **arguments: object) -> str:
    """Return the sentence for that number, which it names `{count}`."""
    return _filled(translations_of(spoken()).ngettext(one, many, count), {"count": count, **arguments})


def pgettext(context: str, message: str, /, **arguments: object) -> str:
    """Return the sentence. `context` tells it from others with the same English words."""
    return _filled(translations_of(spoken()).pgettext(context, message), arguments)


def _filled(sentence: str, arguments: Mapping[str, object]) -> str:
    return sentence.format_map({name: _worded(value) for name, value in arguments.items()})


def _worded(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    return decimal(value) if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence with its arguments, worded in its reader's language when it is shown: `str(message)`.

    Arguments may be messages themselves. `say` is given the words and the arguments.
    """

    words: tuple[object, ...]
    arguments: Mapping[str, object]
    say: Callable[..., str] = gettext

    def __str__(self) -> str:
        """Return the sentence in the language that is spoken now."""
        return self.say(*self.words, **self.arguments)

    def using(self, **arguments: object) -> "Message":
        """Return the same sentence with these arguments as well."""
        return replace(self, arguments={**self.arguments, **arguments})


Worded = str | Message


def lazy(message: str, /, **arguments: object) -> Message:
    """Return the sentence, to be worded when it is shown."""
    return Message((message,), arguments)


def nlazy(one: str, many: str, count: int, /, **arguments: object) -> Message:
    """Return the sentence for that number, which it names `{count}`, to be worded when it is shown."""
    return Message((one, many, count), arguments, ngettext)


def plazy(context: str, message: str, /, **arguments: object) -> Message:
    """Return the sentence, told from others by its context, to be worded when it is shown."""
    return Message((context, message), arguments, pgettext)


def paragraph(*pieces: object) -> Message:
    """Return the sentences that are not empty, one after the other, to be worded when they are shown."""
    return Message(pieces, {}, _paragraph)


def alternatives(items: Sequence[object]) -> Message:
    """Return the items as alternatives, `a, b, or c`, to be worded when they are shown."""
    return Message(tuple(items), {}, _alternatives)


def _paragraph(*pieces: object, **arguments: object) -> str:
    return sentences(*_each_using(pieces, arguments))


def _alternatives(*items: object, **arguments: object) -> str:
    return or_list(_each_using(items, arguments))


def _each_using(pieces: Sequence[object], arguments: Mapping[str, object]) -> list[str]:
    return [str(one.using(**arguments) if isinstance(one, Message) else one) for one in pieces]


# Texts of a file of data: English, which the catalogues translate, or a table by language.
Line = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Texts = Line | Mapping[Language, Line]


def ensure_english(*said: Texts) -> None:
    """Raise ValueError if one of the texts has no English words."""
    if any(not isinstance(text, str) and Language.ENGLISH not in text for text in said):
        raise ValueError("the English text is missing: add en")


def in_all_languages(text: str) -> Mapping[Language, str]:
    """Return a person's own words as a text, which no catalogue translates."""
    return dict.fromkeys(Language, text)


def worded(said: Texts, context: str | None = None) -> str:
    """Return the text in the language that is spoken now, in English if there is no other.

    `context` tells it from others with the same English words.
    """
    if not isinstance(said, str):
        return said.get(spoken()) or worded(said[Language.ENGLISH], context)
    translations = translations_of(spoken())
    return translations.gettext(said) if context is None else translations.pgettext(context, said)


def in_any_language(said: Texts, context: str | None = None) -> frozenset[str]:
    """Return the text in each language, without capitals: a person may mean any of them."""
    if isinstance(said, str):
        return _translated(said, context)
    return _translated(said[Language.ENGLISH], context) | {text.casefold() for text in said.values()}


# A server's emoji are all compared at each change of one; the texts are the few of the catalogue.
@cache
def _translated(text: str, context: str | None) -> frozenset[str]:
    every = map(translations_of, Language)
    found = (one.gettext(text) if context is None else one.pgettext(context, text) for one in every)
    return frozenset(said.casefold() for said in found)
