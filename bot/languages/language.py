"""The languages of the bot, and the one that is spoken now."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Protocol, Self


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

    @property
    def own_name(self) -> str:
        """Return the language's name in itself."""
        return _OWN_NAMES[self]


_OWN_NAMES = {
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
    """Return the language of what is worded now: English where nobody has said otherwise."""
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

    async def in_server(self, guild_id: int, /) -> Language: ...
    async def of_person(self, user_id: int, guild_id: int, /) -> Language: ...


def known_language(locale: str) -> Language | None:
    """Return the language of one of Discord's locales, or None if the bot does not speak it."""
    return _DISCORD_LOCALES.get(locale)


def language_of(locale: str) -> Language:
    """Return the language for people with that Discord locale: English if the bot doesn't speak theirs."""
    return known_language(locale) or Language.ENGLISH
