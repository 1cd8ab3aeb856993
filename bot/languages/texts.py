"""Texts of a file of data: English, which the catalogues translate, or a table by language."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated

from msgspec import Meta

from bot.languages.language import Language, speaking, spoken
from bot.languages.translations import translations_of

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
        own = said.get(spoken())
        return own or worded(said[Language.ENGLISH], context)
    translations = translations_of(spoken())
    return translations.gettext(said) if context is None else translations.pgettext(context, said)


def in_any_language(said: Texts, context: str | None = None) -> frozenset[str]:
    """Return the text in each language, without capitals: a person may mean any of them."""
    return _translated(said, context) if isinstance(said, str) else _in_each(said, context)


def _in_each(said: Texts, context: str | None) -> frozenset[str]:
    found: set[str] = set()
    for language in Language:
        with speaking(language):
            found.add(worded(said, context).casefold())
    return frozenset(found)


# A server's emoji are all compared at each change of one; the texts are the few of the catalogue.
_translated = cache(_in_each)
