"""Texts of a file of data: English, which the catalogues translate, or a table by language."""

from collections.abc import Mapping
from functools import cache

from bot.languages.language import Language, speaking, spoken
from bot.languages.translations import translations_of
from bot.validation import Invalid, alone_or_table, mapped, one_of, text_of

Texts = str | Mapping[Language, str]

line = text_of(1, 100, stripped=True)
_written_as = one_of([one.replace("_", "-") for one in Language])


def _language(value: object) -> Language:
    written = value.replace("_", "-") if isinstance(value, str) else value
    return Language(_written_as(written).replace("-", "_"))


def _with_english(value: object) -> Mapping[Language, str]:
    found = _by_language(value)
    if Language.ENGLISH not in found:
        raise Invalid("the English text is missing: add en")
    return found


_by_language = mapped(_language, line)
texts = alone_or_table(line, _with_english)  # English alone, or a table by language


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
