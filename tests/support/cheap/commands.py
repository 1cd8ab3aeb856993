"""Read the tools that ship with the bot, and shorten descriptions, once for a whole pytest process."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from discord.app_commands import commands

from bot.catalog import Catalog

_SHORTEN = "_shorten"
_load: Callable[[Path | None], Catalog] = Catalog.load
_shortened: Callable[[str], str] = cache(getattr(commands, _SHORTEN))


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
