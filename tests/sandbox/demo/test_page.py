"""What people see and do on the demo's page, without a bot."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from bot.languages import Language
from sandbox.demo.place import INES, MAYA, MIKA, NORA, PHOTO_DESK, TEAM, build
from sandbox.demo.site import Site
from sandbox.discord.emulator import DiscordServer
from tests.sandbox.demo.page_client import PageClient


@dataclass(frozen=True)
class OpenSite:
    discord: DiscordServer
    site: Site


@asynccontextmanager
async def opened() -> AsyncGenerator[OpenSite]:
    discord = DiscordServer(message_content=True)
    build(discord)
    async with discord, Site(discord) as site:
        yield OpenSite(discord, site)


@pytest.mark.promise
async def test_only_moderators_see_their_channel_and_delete_what_others_wrote() -> None:
    async with opened() as here, PageClient.open(here.site.url, INES, TEAM) as page:
        told = await page.until(lambda _: True)
        assert told["messages"]["channel"] == str(PHOTO_DESK)
        assert str(TEAM) not in {one["id"] for one in told["channels"]}
        message = here.discord.post(PHOTO_DESK, MAYA, "Mine")
        assert "can't delete" in (await page.do("delete", message=str(message.id)))["error"]
        await page.look(MIKA, PHOTO_DESK)
        assert "error" not in await page.do("delete", message=str(message.id))
        await page.look(MIKA, TEAM)
        await page.until(lambda told: told["messages"]["channel"] == str(TEAM))


@pytest.mark.promise
async def test_a_person_may_speak_each_language_of_the_bot() -> None:
    async with opened() as here, PageClient.open(here.site.url, NORA, PHOTO_DESK) as page:
        assert set(page.told["locales"].values()) == {one.own_name for one in Language}
        for locale in page.told["locales"]:
            assert "error" not in await page.look(NORA, PHOTO_DESK, locale)


async def test_commands_are_described_in_the_readers_language_as_far_as_they_are_translated() -> None:
    styles = [{"name": "warm", "value": "warm", "name_localizations": {"de": "warm und hell"}}]
    style = {"type": 3, "name": "style", "description": "The style", "choices": styles}
    command = {
        "id": "1",
        "name": "staging",
        "description": "Furnish a room",
        "description_localizations": {"de": "Einen Raum einrichten"},
        "options": [style],
    }
    async with opened() as here, PageClient.open(here.site.url, NORA, PHOTO_DESK) as page:
        here.discord.commands.append(command)
        here.site.changed()
        for locale, described, choice in (
            ("de", "Einen Raum einrichten", "warm und hell"),
            ("fr", "Furnish a room", "warm"),
        ):
            await page.look(NORA, PHOTO_DESK, locale)
            told = await page.until(
                lambda told, described=described: (
                    [one["description"] for one in told["commands"]] == [described]
                )
            )
            (option,) = told["commands"][0]["options"]
            assert (option["description"], option["choices"][0]["name"]) == ("The style", choice)


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}], ids=["origin", "name"]
)
async def test_other_pages_in_the_same_browser_may_not_act(headers: dict[str, str]) -> None:
    async with opened() as here, aiohttp.ClientSession() as session:
        for path in ("live", "upload?name=x", ""):
            async with session.get(f"{here.site.url}{path}", headers=headers) as answer:
                assert answer.status == 403, path
