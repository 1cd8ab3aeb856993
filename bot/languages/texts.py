"""Texts of a file of data: English, which the catalogues translate, or a table by language."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Discriminator, StringConstraints, Tag

from bot.languages.catalogues import catalogue
from bot.languages.language import Language, speaking, spoken

PLAIN, BY_LANGUAGE = "plain", "by language"  # tags of the two, not in the file

Line = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


def _kind(value: object) -> str:
    return BY_LANGUAGE if isinstance(value, Mapping) else PLAIN


def _with_underscore(value: object) -> object:
    return value.replace("-", "_") if isinstance(value, str) else value


def _has_english(texts: Mapping[Language, str]) -> Mapping[Language, str]:
    if Language.ENGLISH not in texts:
        raise ValueError("the English text is missing: add en")
    return texts


_Code = Annotated[Language, BeforeValidator(_with_underscore)]
Texts = Annotated[
    Annotated[Line, Tag(PLAIN)]
    | Annotated[Mapping[_Code, Line], AfterValidator(_has_english), Tag(BY_LANGUAGE)],
    Discriminator(_kind),
]


def in_all_languages(text: str) -> Mapping[Language, str]:
    """Return a person's own words as a text, which no catalogue translates."""
    return dict.fromkeys(Language, text)


def worded(texts: str | Mapping[Language, str], context: str | None = None) -> str:
    """Return the text in the language that is spoken now, in English if there is no other.

    `context` tells it from others with the same English words.
    """
    if not isinstance(texts, str):
        own = texts.get(spoken())
        return own or worded(texts[Language.ENGLISH], context)
    translations = catalogue(spoken())
    return translations.gettext(texts) if context is None else translations.pgettext(context, texts)


def in_any_language(texts: str | Mapping[Language, str], context: str | None = None) -> frozenset[str]:
    """Return the text in each language, without capitals: a person may mean any of them."""
    found: set[str] = set()
    for language in Language:
        with speaking(language):
            found.add(worded(texts, context).casefold())
    return frozenset(found)
