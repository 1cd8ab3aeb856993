"""The demo's page, without a bot, and with it in a process of its own and in a browser."""

import asyncio
import io
import json
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from bot.languages import OWN_NAMES, Language
from sandbox.demo.acts import NotPossibleError
from sandbox.demo.people import text_of
from sandbox.demo.pictures import FORM_IS_THERE, RESULT_IS_THERE
from sandbox.demo.place import INES, MAYA, MIKA, NORA, PHOTO_DESK, TEAM, TOM, build
from sandbox.demo.site import Site
from sandbox.demo.visitor import Visitor
from sandbox.demo.world import DemoWorld, prepared_world
from sandbox.discord.browser import BrowserError, find_chromium, launch
from sandbox.discord.emulator import DiscordServer
from sandbox.photos import sample_photos
from sandbox.studii import StudiiServer
from tests.support.database import database
from tests.support.patience import PATIENCE
from tests.support.process import bot_process


@dataclass
class PageClient:
    """`told` holds the newest of each part that the page was told."""

    url: str
    session: aiohttp.ClientSession
    socket: aiohttp.ClientWebSocketResponse
    told: dict[str, Any] = field(default_factory=dict[str, Any])
    numbers: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, who: int, channel: int) -> AsyncGenerator["PageClient"]:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}live") as socket:
            client = cls(url, session, socket)
            await client.look(who, channel)
            yield client

    async def look(self, who: int, channel: int, locale: str = "en-US") -> dict[str, Any]:
        return await self.do("look", who=str(who), channel=str(channel), locale=locale)

    async def do(self, name: str, **values: Any) -> dict[str, Any]:
        """Do that, and return the answer; the answer to an error has `error`."""
        self.numbers += 1
        await self.socket.send_json({"id": self.numbers, "do": name, **values})
        while (told := await self._receive()).get("re") != self.numbers:
            pass
        return told

    async def until(self, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the page was told of it, and return everything that it was told."""
        async with asyncio.timeout(PATIENCE):
            while not ("messages" in self.told and seen(self.told)):
                await self._receive()
        return self.told

    async def upload(self, name: str, data: bytes, kind: str = "image/jpeg") -> dict[str, Any]:
        headers = {"Content-Type": kind}
        async with self.session.post(
            f"{self.url}upload", params={"name": name}, data=data, headers=headers
        ) as answer:
            return await answer.json()

    async def _receive(self) -> dict[str, Any]:
        told = json.loads((await self.socket.receive(timeout=PATIENCE)).data)
        if "re" not in told:
            self.told |= told
        return told


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
        assert set(page.told["locales"].values()) == {OWN_NAMES[one] for one in Language}
        for locale in page.told["locales"]:
            assert "error" not in await page.look(NORA, PHOTO_DESK, locale)


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}], ids=["origin", "name"]
)
async def test_other_pages_in_the_same_browser_may_not_act(headers: dict[str, str]) -> None:
    async with opened() as here, aiohttp.ClientSession() as session:
        for path in ("live", "upload?name=x", ""):
            async with session.get(f"{here.site.url}{path}", headers=headers) as answer:
                assert answer.status == 403, path


CHROMIUM = find_chromium()


@asynccontextmanager
async def forked_bot(
    discord: DiscordServer, studii: StudiiServer, folder: Path
) -> AsyncGenerator[asyncio.Task[int]]:
    """The demo's bot, whose imports are done already."""
    await database(folder)
    settings = {"DATABASE_URL": f"sqlite:///{folder / 'studii.db'}", "STUDII_API_URL": studii.url}
    async with bot_process(discord, folder, "run", LOG_LEVEL="WARNING", **settings) as process:

        async def end() -> int:
            while process.returncode is None:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.1)
            return process.returncode

        ended = asyncio.create_task(end())
        yield ended
        process.kill()
        await ended


@pytest.fixture
def _forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.demo.world.running_bot", forked_bot)


@pytest.fixture(scope="module", autouse=True)
def _photos_drawn_once() -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sandbox.demo.world.sample_photos", cache(sample_photos))
        yield


@asynccontextmanager
async def visited(folder: Path, **window: int) -> AsyncGenerator[tuple[DemoWorld, Visitor]]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    async with prepared_world(folder, speed=20) as world, launch(CHROMIUM) as browser:
        yield world, await Visitor.come(browser, world.site.url, **window)


@pytest.mark.promise
async def test_commands_menus_and_forms_work_on_the_page(tmp_path: Path) -> None:
    async with prepared_world(tmp_path, speed=20) as world:
        photo = next(one for one in world.discord.posted_by_people() if one.files)
        tom = world.guest(TOM)
        progress = await tom.fill_in(await tom.menu("Virtual staging", photo), {"style": "scandinavian"})
        result = await tom.result_after(progress)
        assert "Scandinavian" in text_of(result)
        async with PageClient.open(world.site.url, TOM, PHOTO_DESK) as page:
            told = await page.until(lambda told: bool(told["commands"]))
            assert "studii" not in {one["name"] for one in told["commands"]}
            choices = await page.do(
                "command", path=["virtual-staging"], values={"style": "scan"}, focused="style"
            )
            assert "scandinavian" in {one["value"] for one in choices["choices"]}
            assert "missing" in (await page.do("command", path=["virtual-staging"], values={}))["error"]
        with pytest.raises(NotPossibleError, match="no command"):
            await tom.command("studii setup")
        assert "Ready" in text_of(await world.guest(NORA).command("studii setup"))


@pytest.mark.promise
@pytest.mark.usefixtures("_forked")
async def test_a_member_makes_a_picture_in_a_real_browser(tmp_path: Path) -> None:
    async with visited(tmp_path, width=700, height=500, scale=2) as (world, visitor):
        photo = tmp_path / "empty-room.jpg"
        photo.write_bytes(world.photos[photo.name])
        await visitor.look_as("Tom")
        await visitor.run("virtual-staging", image=photo, options={"style": "scandinavian"})
        await visitor.tab.wait_for(RESULT_IS_THERE, seconds=PATIENCE)
        shown = (await visitor.tab.evaluate("document.body.innerText")).split("\n")
        assert "Edit" in shown
        assert [one for one in shown if one.startswith("Run again · ")]
        with Image.open(io.BytesIO(await visitor.tab.screenshot())) as picture:
            assert (picture.format, picture.size) == ("PNG", (1400, 1000))
        await visitor.tab.call("Page.reload")
        await visitor.tab.wait_for(
            "document.querySelector('#person')?.selectedOptions[0]?.text.startsWith('Tom')"
        )
        with pytest.raises(BrowserError, match="Never"):
            await visitor.sees("Never", seconds=0.1)


@pytest.mark.promise
@pytest.mark.usefixtures("_forked")
async def test_the_page_works_with_the_keyboard_at_the_width_of_a_phone(tmp_path: Path) -> None:
    async with visited(tmp_path, width=400, height=800) as (world, visitor):
        await visitor.tab.press("/")  # wherever one is
        await visitor.tab.wait_for("document.activeElement.id === 'words'")
        await visitor.tab.type_text("/studio")
        await visitor.tab.press("Enter")
        await visitor.tab.wait_for("document.activeElement.dataset.option === 'prompt'")
        await visitor.tab.type_text("A harbour")
        await visitor.tab.press("Enter")
        await visitor.sees("A harbour")
        assert await visitor.tab.evaluate("document.documentElement.scrollWidth <= 400")
        await world.guest(MAYA).named_after(world.discord.posted_by_people()[-1])
        await visitor.open_menu("Empty room")
        await visitor.choose("Virtual staging")
        await visitor.tab.wait_for(FORM_IS_THERE)
        await visitor.tab.press("Escape")
        await visitor.tab.wait_for("!document.querySelector('dialog').open")
