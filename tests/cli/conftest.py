"""A bot that has all it needs, in an empty folder."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from discord.http import Route

from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.studii import StudiiServer


@pytest.fixture
async def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[dict[str, str]]:
    """The settings of a bot that has all it needs, from an empty folder."""
    monkeypatch.chdir(tmp_path)
    async with DiscordServer(guilds=[100]) as discord, StudiiServer() as studii:
        monkeypatch.setattr(Route, "BASE", discord.api)
        yield {"discord_token": TOKEN, "studii_api_url": studii.url}
