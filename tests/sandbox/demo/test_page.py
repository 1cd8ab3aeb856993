"""What people see and do on the demo's page, without a bot."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from bot.languages import Language
from sandbox.demo.people import plain
from sandbox.demo.place import INES, MAYA, MIKA, NORA, PHOTO_DESK, TEAM, THREAD, TOM, build
from sandbox.demo.site import Site, TourShown
from sandbox.discord.emulator import DiscordServer
from tests.sandbox.demo.page_client import PageClient, words


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


async def test_what_one_writes_the_others_see_at_once() -> None:
    async with (
        opened() as here,
        PageClient.open(here.site.url, MAYA, PHOTO_DESK) as maya,
        PageClient.open(here.site.url, TOM, PHOTO_DESK) as tom,
    ):
        assert "error" not in await maya.do("post", words="Hello")
        told = await tom.until(lambda told: words(told) == ["Hello"])
        assert told["messages"]["all"][0]["author"] == "Maya"


async def test_photos_are_posted_and_can_be_fetched_from_the_page() -> None:
    async with opened() as here, PageClient.open(here.site.url, MAYA, PHOTO_DESK) as maya:
        files = [await maya.upload("room.jpg", b"a room"), await maya.upload("room.jpg", b"another")]
        await maya.do("post", words="", files=files)
        told = await maya.until(lambda told: bool(told["messages"]["all"]))
        shown = told["messages"]["all"][0]["attachments"]
        assert [one["filename"] for one in shown] == ["room.jpg", "1-room.jpg"]
        async with maya.session.get(f"{here.site.url.rstrip('/')}{shown[1]['url']}") as answer:
            assert await answer.read() == b"another"
        assert "arrive" in (await maya.do("post", words="", files=files))["error"]


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


async def test_a_reaction_is_put_and_taken_back() -> None:
    async with opened() as here, PageClient.open(here.site.url, MAYA, THREAD) as maya:
        message = here.discord.post(THREAD, TOM, "Look")
        for count in (1, 0):
            await maya.do("react", message=str(message.id), emoji="⭐")
            assert len(message.reactions.get("⭐", ())) == count


async def test_a_reply_shows_what_it_answers() -> None:
    async with opened() as here, PageClient.open(here.site.url, MAYA, PHOTO_DESK) as maya:
        first = here.discord.post(PHOTO_DESK, TOM, "Who wants coffee?")
        await maya.do("post", words="I do", reply_to=str(first.id))
        told = await maya.until(lambda told: len(told["messages"]["all"]) == 2)
        assert told["messages"]["all"][1]["reply"]["words"] == "Who wants coffee?"


async def test_the_languages_of_commands_and_persons_are_those_offered() -> None:
    async with opened() as here, PageClient.open(here.site.url, NORA, PHOTO_DESK) as page:
        assert "error" in await page.look(NORA, PHOTO_DESK, "xx")
        assert "error" in await page.look(12, PHOTO_DESK)
        assert "error" in await page.do("no such thing")
        assert "error" in await page.do("press", message="1")


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


async def test_menus_are_named_in_the_readers_language() -> None:
    command = {"id": "1", "name": "Staging", "type": 3, "name_localizations": {"ja": "ステージング"}}
    async with opened() as here, PageClient.open(here.site.url, NORA, PHOTO_DESK) as page:
        here.discord.commands.append(command)
        here.site.changed()
        for locale, label in (("ja", "ステージング"), ("fr", "Staging")):
            await page.look(NORA, PHOTO_DESK, locale)
            told = await page.until(
                lambda told, label=label: [one["label"] for one in told["commands"]] == [label]
            )
            assert told["commands"][0]["name"] == "Staging"  # by which it is used


async def test_nothing_is_sent_while_nothing_happens() -> None:
    async with opened() as here, PageClient.open(here.site.url, MAYA, PHOTO_DESK) as page:
        await page.until(lambda _: True)
        with pytest.raises(TimeoutError):
            await page.socket.receive(timeout=0.3)


def test_the_tour_tells_what_was_said_without_markup() -> None:
    discord = DiscordServer(message_content=True)
    build(discord)
    said = f"### 🛂 A request\n<@{MAYA}> asks in <#{PHOTO_DESK}>.\n> ||A storm||\n-# asked <t:1795674474:R>"
    assert plain(discord, said) == "🛂 A request @Maya asks in #photo-desk. A storm asked just now"


async def test_the_tour_is_offered_once_it_can_be_played() -> None:
    async with opened() as here, PageClient.open(here.site.url, MAYA, PHOTO_DESK) as page:
        assert "error" in await page.do("tour")

        async def play() -> None:
            here.site.show(TourShown(2, 1, "A step", running=True))

        here.site.offer_tour(play)
        assert "error" not in await page.do("tour")
        await page.until(lambda told: told["tour"]["title"] == "A step")
        assert "error" in await page.do("tour")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}], ids=["origin", "name"]
)
async def test_other_pages_in_the_same_browser_may_not_act(headers: dict[str, str]) -> None:
    async with opened() as here, aiohttp.ClientSession() as session:
        for path in ("live", "upload?name=x", ""):
            async with session.get(f"{here.site.url}{path}", headers=headers) as answer:
                assert answer.status == 403, path
