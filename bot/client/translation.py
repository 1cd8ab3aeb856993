"""Descriptions of commands and options, names of choices and menus, in all locales that are spoken.

Names of commands and options stay: members tell each other to type them.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Location, locale_str

from bot.languages import Language, known_language, speaking, unfilled
from bot.ui.kit.text import shortened

_log = logging.getLogger(__name__)

# Discord's limits. https://discord.com/developers/docs/interactions/application-commands
MAX_TEXT_CHARACTERS = 100  # of a description, or a choice's name
MAX_MENU_NAME_CHARACTERS = 32
MAX_COMMAND_CHARACTERS = 8000  # of a command with all that is in it; of each text the longest language counts
_TEXTS = frozenset(
    {
        Location.choice_name,
        Location.command_description,
        Location.group_description,
        Location.parameter_description,
    }
)
_WORDING = "wording"


def localised(wording: Callable[[], str], length: int = MAX_TEXT_CHARACTERS) -> locale_str:
    """Return a text that `wording` returns in the language that is spoken, in English by default."""
    with speaking(Language.ENGLISH):
        return locale_str(shortened(wording(), length), **{_WORDING: wording})


class CatalogueTranslator(app_commands.Translator):
    """Looks texts up in the catalogues of translations."""

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        language, length = known_language(locale.value), _length(context)
        # Discord takes American English for British.
        if language is None or length is None or locale is discord.Locale.british_english:
            return None
        wording: Callable[[], str] | None = string.extras.get(_WORDING)
        with speaking(language):
            said = shortened(unfilled(string.message) if wording is None else wording(), length)
        # What isn't translated is English by default.
        return None if said == string.message and language is not Language.ENGLISH else said


def _length(context: app_commands.TranslationContextTypes) -> int | None:
    """Return how long the text can be, or None if it stays as it is in all languages."""
    if context.location in _TEXTS:
        return MAX_TEXT_CHARACTERS
    is_menu = isinstance(context.data, app_commands.ContextMenu)
    return MAX_MENU_NAME_CHARACTERS if context.location is Location.command_name and is_menu else None


class BoundedGroup(app_commands.Group):
    """A group whose texts are within Discord's limit in all languages.

    Discord refuses all commands if one is too long. Rather than that, some texts of a group stay English.
    """

    async def get_translated_payload(
        self, tree: app_commands.CommandTree[Any], translator: app_commands.Translator
    ) -> dict[str, Any]:
        payload = await super().get_translated_payload(tree, translator)
        left_out = bound(payload)
        if left_out:
            _log.info(
                "%d translations of /%s are left out: Discord takes %d characters.",
                left_out,
                self.name,
                MAX_COMMAND_CHARACTERS,
            )
        return payload


def command_length(command: Mapping[str, Any]) -> int:
    """Return how long the command is for Discord."""
    texts = sum(len(longest) for longest, _, _ in map(_by_length, _texts(command)))
    return texts + sum(len(str(choice["value"])) for choice in _choices(command))


def bound(command: Mapping[str, Any]) -> int:
    """Leave out translations until the command is short enough, and return how many.

    The first are those that are longest beside the other languages.
    """
    left_out = 0
    length = command_length(command)
    fields = list(_texts(command))
    gains = [_gain(field) for field in fields]
    while length > MAX_COMMAND_CHARACTERS:
        best = gains.index(max(gains))
        longest, next_one, translations = _by_length(fields[best])
        if longest == next_one:
            break
        for locale in [one for one, text in translations.items() if len(text) == len(longest)]:
            del translations[locale]
            left_out += 1
        length += len(next_one) - len(longest)
        gains[best] = _gain(fields[best])
    return left_out


_Field = tuple[str, dict[str, str]]  # what is shown by default, and in which locales something else


def _texts(command: Mapping[str, Any]) -> Iterator[_Field]:
    """Yield all texts that count."""
    for name in ("name", "description"):
        if name in command:
            yield command[name], command.get(f"{name}_localizations") or {}
    for part in (*command.get("choices", ()), *command.get("options", ())):
        yield from _texts(part)


def _choices(command: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from command.get("choices", ())
    for option in command.get("options", ()):
        yield from _choices(option)


def _by_length(field: _Field) -> tuple[str, str, dict[str, str]]:
    """Return the longest text, the longest of those that are shorter (or the same), and the translations."""
    default, translations = field
    longest = max((default, *translations.values()), key=len)
    shorter = [text for text in translations.values() if len(text) < len(longest)]
    next_one = longest if len(default) == len(longest) else max((default, *shorter), key=len)
    return longest, next_one, translations


def _gain(field: _Field) -> int:
    longest, next_one, _ = _by_length(field)
    return len(longest) - len(next_one)
