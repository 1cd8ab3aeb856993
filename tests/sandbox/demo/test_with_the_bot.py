"""The demo with the bot in a process of its own: commands, menus and forms on the page, and in a browser."""

import asyncio
import io
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from sandbox.demo.acts import NotPossibleError
from sandbox.demo.people import text_of, until
from sandbox.demo.pictures import FORM_IS_THERE, RESULT_IS_THERE
from sandbox.demo.place import MAYA, NORA, PHOTO_DESK, TOM
from sandbox.demo.site import TourShown
from sandbox.demo.tour import Tour
from sandbox.demo.visitor import Visitor
from sandbox.demo.world import DemoWorld, prepared_world
from sandbox.discord.browser import BrowserError, find_chromium, launch
from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.places import APPLICATION_ID
from sandbox.photos import sample_photos
from sandbox.studii import StudiiServer
from tests.sandbox.demo.page_client import PageClient
from tests.support.database import database
from tests.support.patience import PATIENCE
from tests.support.process import bot_process

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


@pytest.mark.usefixtures("_forked")
async def test_the_demo_tries_again_when_the_bot_is_too_slow_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_key, tried = Tour.set_key, list[Tour]()

    async def slow_at_first(tour: Tour) -> str:
        tried.append(tour)
        if len(tried) == 1:
            raise NotPossibleError("The application did not respond.")
        return await set_key(tour)

    monkeypatch.setattr(Tour, "set_key", slow_at_first)
    async with prepared_world(tmp_path, speed=20) as world:
        assert "Ready" in text_of(await world.guest(NORA).command("studii setup"))


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


@pytest.mark.usefixtures("_forked")
async def test_a_command_typed_with_its_text_is_filled_in_as_discord_does(tmp_path: Path) -> None:
    async with visited(tmp_path, width=900, height=600) as (world, visitor):
        posted = len(world.discord.posted_by_people())
        await visitor.tab.click("#words")
        await visitor.tab.type_text("/studio a fox")
        prompt = "document.querySelector('#command [data-option=prompt]').value"
        await visitor.tab.wait_for(f"{prompt} === 'a fox'")
        await visitor.tab.press("Enter")
        await visitor.sees("is ready", seconds=PATIENCE)
        assert len(world.discord.posted_by_people()) == posted


@pytest.mark.usefixtures("_forked")
async def test_the_page_speaks_the_persons_language_and_names_its_controls(tmp_path: Path) -> None:
    async with visited(tmp_path, width=390, height=800) as (world, visitor):
        await visitor.speak("de")
        await visitor.run("credits")
        await visitor.sees("Nur du kannst das sehen")
        page = await visitor.tab.evaluate(
            "(words => [document.documentElement.lang, words.ariaLabel, words.getAttribute('aria-controls')])"
            "(document.querySelector('#words'))"
        )
        assert page == ["de", "Nachricht an #photo-desk", "suggestions"]
        world.discord.post(PHOTO_DESK, TOM, "One line after the other " * 10)
        async with PageClient.open(world.site.url, MAYA, PHOTO_DESK) as maya:
            await maya.do("post", words="Yes", reply_to=str(max(world.discord.messages)))
        await visitor.sees("Yes")
        covered = await visitor.tab.evaluate(
            "[...document.querySelectorAll('#messages > li')].filter(one => {"
            "const tools = one.querySelector('.tools').getBoundingClientRect();"
            "return [...one.querySelectorAll('.by > *, .above, .text > *')].some(part => {"
            "const box = part.getBoundingClientRect();"
            "return box.top < tools.bottom - 1 && box.bottom > tools.top && "
            "box.right - parseFloat(getComputedStyle(part).paddingRight) > tools.left; }); }).length"
        )
        assert covered == 0


@pytest.mark.usefixtures("_forked")
async def test_the_tour_goes_on_after_somebody_used_the_bot_and_its_line_can_be_closed(
    tmp_path: Path,
) -> None:
    async with visited(tmp_path, width=900, height=600) as (world, visitor):
        before = max(world.discord.messages)
        world.guest(MAYA).post(f"<@{APPLICATION_ID}>")
        await until(
            lambda: any(one.of_the_bot and one.id > before for one in world.discord.messages.values()), "help"
        )
        panel = world.tour().steps[2]
        world.site.show(TourShown(3, 3, panel.title, await panel.act()))
        step = "document.querySelector('#tour-step')"
        await visitor.tab.wait_for(f"!{step}.hidden && {step}.innerText.includes('posts the panel')")
        await visitor.tab.click("#tour-step button")
        await visitor.tab.wait_for(f"{step}.hidden")


@pytest.mark.usefixtures("_forked")
async def test_what_people_do_further_up_is_shown_at_the_end(tmp_path: Path) -> None:
    messages = "document.querySelector('#messages')"
    at_end = f"(all => all.scrollHeight - all.scrollTop - all.clientHeight < 60)({messages})"
    # Until it stays there: what arrives in the same moment leads back to the end.
    top = (
        f"new Promise(done => {{ let stays = 0; const up = () => {{"
        f"stays = {messages}.scrollTop ? 0 : stays + 1; {messages}.scrollTop = 0;"
        f"stays > 20 ? done(1) : setTimeout(up, 50); }}; up(); }})"
    )
    async with visited(tmp_path, width=900, height=600) as (world, visitor):
        await visitor.tab.wait_for(at_end)
        await visitor.tab.evaluate(top)
        await visitor.tab.click("#messages img[alt='empty-room.jpg']", button="right")
        await visitor.choose("Virtual staging")
        await visitor.tab.wait_for(FORM_IS_THERE)
        await visitor.tab.click("dialog [type=submit]")
        await visitor.sees("is ready", seconds=PATIENCE)
        await visitor.tab.wait_for(at_end)
        await visitor.tab.evaluate(top)
        assert await visitor.tab.evaluate("document.querySelector('#newest').hidden")
        async with PageClient.open(world.site.url, TOM, PHOTO_DESK) as page:
            await page.do("post", words="Hello", files=[], reply_to=None)
        await visitor.tab.click("#newest", text="New messages")
        await visitor.tab.wait_for(at_end)
        await visitor.go_to("showroom")
        await visitor.tab.wait_for(
            "document.querySelector('#channels [aria-current=true]').innerText.includes('showroom')"
        )


async def test_a_browser_that_does_not_start_is_told(tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o700)
    with pytest.raises(BrowserError, match="exit code 3"):
        async with launch(program):
            pass
