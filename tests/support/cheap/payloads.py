"""Translate the bot's commands once for a whole pytest process, as one run of the bot does."""

import json
from typing import Any, Self

import pytest
from discord import app_commands


class _Payload(list[dict[str, Any]]):
    """Commands in all languages, which nobody changes: who notes what was sent need not copy them."""

    def __deepcopy__(self, _: object) -> Self:
        return self


_known: dict[tuple[object, ...], _Payload] = {}
_digests: dict[tuple[int, int | None], str] = {}


def share_payloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's bots register what other tests' bots have translated, if it is the same."""
    # Not by pytest's first process, which runs no tests and starts the others once it has loaded this module.
    from bot import languages
    from bot.client import commands as registration

    name = "_digest"
    translate, digest = registration.translated_payload, getattr(registration, name)

    async def share(tree: app_commands.CommandTree[Any], guild: Any = None) -> list[dict[str, Any]]:
        commands = json.dumps([one.to_dict(tree) for one in tree.get_commands(guild=guild)])
        spoken = f"{languages.translations_of.__module__}.{languages.translations_of.__qualname__}"
        tools = repr(tree.client.catalog.tools)  # with what they are called in each language
        key = (commands, tools, spoken)
        if key not in _known:
            _known[key] = _Payload(await translate(tree, guild))
        return _known[key]

    def share_digest(tree: app_commands.CommandTree[Any], payload: list[dict[str, Any]]) -> str:
        if not isinstance(payload, _Payload):
            return digest(tree, payload)
        key = (id(payload), tree.client.application_id)  # those that are known stay
        if key not in _digests:
            _digests[key] = digest(tree, payload)
        return _digests[key]

    monkeypatch.setattr(registration, "translated_payload", share)
    monkeypatch.setattr(registration, name, share_digest)
