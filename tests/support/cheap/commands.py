"""Read the tools that ship with the bot, and describe its commands, once for a whole pytest process."""

from collections.abc import Callable
from copy import copy
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from discord.app_commands import commands

from bot.catalog import Catalog

_SHORTEN, _EXTRACT = "_shorten", "_extract_parameters_from_callback"
_SUGGESTIONS = "__discord_app_commands_param_autocomplete__"
_load: Callable[[Path | None], Catalog] = Catalog.load
_shortened: Callable[[str], str] = cache(getattr(commands, _SHORTEN))
_extract: Callable[[Any, dict[str, Any]], dict[str, Any]] = getattr(commands, _EXTRACT)
_known: dict[CodeType, dict[str, Any]] = {}


@cache
def _shipped() -> Catalog:
    return _load(None)


def share_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's bots have the tools, which nobody changes, and what discord.py makes of the descriptions
    of commands, as other tests' bots have them."""

    def load(path: Path | None = None) -> Catalog:
        return _shipped() if path is None else _load(path)

    monkeypatch.setattr(Catalog, "load", load)
    monkeypatch.setattr(commands, _SHORTEN, _shortened)
    monkeypatch.setattr(commands, _EXTRACT, _options)


def _options(function: Any, names: dict[str, Any]) -> dict[str, Any]:
    """Return a command's options. Those in a function of a cog are written there; what suggests values for
    them, this bot alone has. The options of a tool's command come from the catalogue."""
    if not function.__module__.startswith("cogs.") or hasattr(function, "__signature__"):
        return _extract(function, names)
    if function.__code__ not in _known:
        _known[function.__code__] = _extract(function, names)
    # discord.py changes them.
    options = {name: copy(option) for name, option in _known[function.__code__].items()}
    for name, suggest in getattr(function, _SUGGESTIONS, {}).items():
        options[name].autocomplete = commands.validate_auto_complete_callback(suggest)
    return options
