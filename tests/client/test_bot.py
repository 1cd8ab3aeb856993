"""The client: what it asks of Discord when it starts, and who hears of what goes wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import discord
import pytest
from aiohttp import web
from discord.http import Route

from bot import meta
from bot.catalog import RESERVED, Catalog
from bot.client import commands as registration
from bot.client.bot import LOUDEST, StudiiBot, quiet_discord_loggers
from bot.client.commands import name_of
from bot.client.login import choose_intents, intents_for
from bot.errors import SettingsError, StudiiBotError
from bot.ui.kit.layout import know_commands, text
from sandbox.discord.emulator import TOKEN, DiscordServer
from tests.studii.conftest import answering
from tests.support.desk import Desk, make_bot, open_desk, texts
from tests.support.simulated import NoAnswers, no_progress


@pytest.fixture
async def discord_server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        monkeypatch.setattr(Route, "BASE", server.api)
        yield server


def registrations(desk: Desk) -> list[str]:
    return [call.path for call in desk.env.http_requests if call.method == "PUT" and "commands" in call.path]


@pytest.mark.promise
async def test_commands_are_for_servers_alone(desk: Desk) -> None:
    for name in ("studio", "credits", "studii"):
        command: Any = desk.env.backend.find_command(name, desk.guild.id, type=1)
        assert (command["contexts"], command["integration_types"]) == ([0], [0])


async def test_every_command_of_the_bots_own_is_a_name_that_no_tool_can_take(desk: Desk) -> None:
    commands = {
        command.name for command in desk.bot.tree.get_commands(type=discord.AppCommandType.chat_input)
    }
    assert commands - set(Catalog.load().tools) == RESERVED
    studii: Any = desk.bot.tree.get_command("studii")
    assert max(len(RESERVED), len(studii.commands)) <= 10


@pytest.mark.promise
async def test_commands_are_registered_once_and_again_only_when_they_changed(desk: Desk) -> None:
    assert len(registrations(desk)) == 1
    same, _ = make_bot(Catalog.load(), desk.clock, desk.resources)
    await desk.env.restart_bot(same)
    assert len(registrations(desk)) == 1
    await desk.set_key()
    answer = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert "Studio" in texts(answer)
    catalog = Catalog.load()
    fewer = Catalog({slug: tool for slug, tool in catalog.tools.items() if slug != "studio"})
    changed, _ = make_bot(fewer, desk.clock, desk.resources)
    await desk.env.restart_bot(changed)
    assert len(registrations(desk)) == 2


@pytest.mark.promise
async def test_texts_link_the_commands_that_they_name_also_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "know_commands", know_commands)
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        for _ in range(2):
            own: Any = desk.env.backend.find_command("settings", desk.guild.id, type=1)
            shown = await desk.maya.slash(desk.channel, "help")
            assert f"</settings:{own['id']}>" in texts(shown)
            know_commands({})
            await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
        assert len(registrations(desk)) == 1
        group: Any = desk.env.backend.find_command("studii", desk.guild.id, type=1)
        named = text("`/studii results` `/studii` `/nothing` `/styles name:`").content
        assert named == f"</studii results:{group['id']}> `/studii` `/nothing` `/styles name:`"


@pytest.mark.promise
async def test_a_development_server_gets_the_commands_for_itself(desk: Desk) -> None:
    bot = StudiiBot(Catalog.load(), intents=discord.Intents(guilds=True), dev_guild_id=desk.guild.id)
    bot.attach(desk.resources, desk.clock, NoAnswers(), no_progress)
    await desk.env.restart_bot(bot)
    assert registrations(desk)[-1].endswith(f"/guilds/{desk.guild.id}/commands")


async def test_a_development_server_that_is_none_any_more_loses_its_own_commands(desk: Desk) -> None:
    for dev_guild_id in (desk.guild.id, None):
        bot = StudiiBot(Catalog.load(), intents=discord.Intents(guilds=True), dev_guild_id=dev_guild_id)
        bot.attach(desk.resources, desk.clock, NoAnswers(), no_progress)
        await desk.env.restart_bot(bot)
    last = [call for call in desk.env.http_requests if call.method == "PUT"][-1]
    assert last.path.endswith(f"/guilds/{desk.guild.id}/commands")
    assert not last.json
    assert await desk.resources.db.read(meta.get, name_of(desk.guild.id)) is None


async def test_a_bot_that_is_about_to_leave_takes_no_more_commands(desk: Desk) -> None:
    desk.bot.accepting = False
    answer = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert answer.ephemeral
    assert "restarting" in texts(answer)


async def test_an_interaction_that_came_too_late_makes_no_noise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_desk(tmp_path) as desk:
        desk.env.inject_error("POST", "/interactions/*/*/callback", status=404, code=10062, times=1)
        await desk.maya.slash(desk.channel, "credits")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.promise
@pytest.mark.parametrize("wanted", ["auto", "off"])
async def test_the_token_is_tried_and_no_more_is_asked_than_needed(
    discord_server: DiscordServer, wanted: Any
) -> None:
    assert await choose_intents(TOKEN, wanted) == intents_for(photos=False)
    assert discord_server.intents is None  # it never went near the gateway


@pytest.mark.promise
@pytest.mark.parametrize(
    ("wanted", "intents"), [("auto", intents_for(photos=True)), ("off", intents_for(photos=False))]
)
async def test_photos_are_asked_for_where_they_are_granted_and_wanted(
    monkeypatch: pytest.MonkeyPatch, wanted: Any, intents: discord.Intents
) -> None:
    async with DiscordServer(message_content=True) as server:
        monkeypatch.setattr(Route, "BASE", server.api)
        assert await choose_intents(TOKEN, wanted) == intents


@pytest.mark.promise
@pytest.mark.usefixtures("discord_server")
async def test_a_token_that_discord_refuses_is_one_clear_line() -> None:
    with pytest.raises(SettingsError, match="Discord refused DISCORD_TOKEN"):
        await choose_intents("of.no.use", "auto")


@pytest.mark.promise
async def test_a_discord_that_cannot_be_reached_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async with DiscordServer() as server:
        gone = server.api
    monkeypatch.setattr(Route, "BASE", gone)
    with pytest.raises(StudiiBotError, match="Discord couldn't be reached"):
        await choose_intents(TOKEN, "auto")


async def test_a_gateway_whose_address_does_not_come_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.client.bot.LOGIN_SECONDS", 0.01)
    bot = StudiiBot(Catalog.load(), intents=discord.Intents(guilds=True))
    monkeypatch.setattr(bot.http, "request", partial(asyncio.sleep, 60))
    with pytest.raises(StudiiBotError, match="Discord couldn't be reached: it doesn't answer"):
        await asyncio.wait_for(bot.launch_shards(), 5)


@pytest.mark.promise
@pytest.mark.parametrize(
    "body", [b"<html>Welcome! Log in to use the network.</html>", b"[]", b"\xff\xfe", b""]
)
async def test_what_is_not_discord_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/html")

    async with answering(page) as server:
        monkeypatch.setattr(Route, "BASE", server.url)
        with pytest.raises(StudiiBotError, match="Something other than Discord answered"):
            await choose_intents(TOKEN, "auto")


@pytest.fixture
def levels() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in LOUDEST]
    before = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


@pytest.mark.promise
@pytest.mark.usefixtures("levels")
def test_discords_own_loggers_never_print_events(caplog: pytest.LogCaptureFixture) -> None:
    quiet_discord_loggers()
    with caplog.at_level(logging.DEBUG):
        for name in ("discord.gateway", "discord.http", "discord.webhook.async_", "discord.client"):
            logging.getLogger(name).debug("an event with a token in it")
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        quiet_discord_loggers()
        logging.getLogger("discord.gateway").info("connected")
    assert not caplog.records


@pytest.mark.promise
async def test_a_listener_that_is_still_at_work_ends_with_the_bot(tmp_path: Path) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def on_ready() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with open_desk(tmp_path) as desk:
        desk.bot.add_listener(on_ready)
        desk.bot.dispatch("ready")
        await begun.wait()
        await desk.bot.close()
        assert ended.is_set()
