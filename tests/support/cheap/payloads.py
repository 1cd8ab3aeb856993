"""Translate the bot's commands once for a whole pytest process, as one run of the bot does."""

import json
from typing import Any

import pytest
from discord import app_commands

_known: dict[tuple[object, ...], list[dict[str, Any]]] = {}


def share_payloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's bots register what other tests' bots have translated, if it is the same."""
    # Not by pytest's first process, which runs no tests and starts the others once it has loaded this module.
    from bot.client import registration, translation
    from bot.languages import messages

    translate = registration.translated_payload

    async def share(tree: app_commands.CommandTree[Any], guild: Any = None) -> list[dict[str, Any]]:
        commands = json.dumps([one.to_dict(tree) for one in tree.get_commands(guild=guild)])
        spoken = f"{messages.catalogue.__module__}.{messages.catalogue.__qualname__}"
        tools = repr(tree.client.catalog.tools)  # with what they are called in each language
        key = (commands, tools, spoken, translation.MAX_COMMAND_CHARACTERS)
        if key not in _known:
            _known[key] = await translate(tree, guild)
        return _known[key]

    monkeypatch.setattr(registration, "translated_payload", share)
