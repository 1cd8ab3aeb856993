"""Run each of the bot's extensions once for a whole pytest process: discord.py does for each bot anew.

The modules hold no state: commands are copied for each bot, and `setup` is called with each.
"""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest
from discord.ext import commands

_loaded: dict[str, ModuleType] = {}
_LOAD, _FORGET, _KEPT = "_load_from_module_spec", "_call_module_finalizers", "_BotBase__extensions"


def share_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's bots have the extensions that other tests' bots have loaded."""
    load: Any = getattr(commands.AutoShardedBot, _LOAD)

    async def share(self: Any, spec: ModuleSpec, key: str) -> None:
        known = _loaded.get(key)
        if known is None:
            await load(self, spec, key)
            _loaded[key] = sys.modules[key]
            return
        sys.modules[key] = known
        await known.setup(self)
        getattr(self, _KEPT)[key] = known

    async def keep(self: Any, _module: ModuleType, key: str) -> None:
        # Past discord.py's search for modules inside of it, among all that are loaded.
        del getattr(self, _KEPT)[key], sys.modules[key]

    monkeypatch.setattr(commands.AutoShardedBot, _LOAD, share)
    monkeypatch.setattr(commands.AutoShardedBot, _FORGET, keep)
