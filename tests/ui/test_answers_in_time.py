"""Whatever people press, choose or type, Discord has its first answer before the database has."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.http import HTTPClient, Route
from simcord import InteractionResult, MemberActor
from simcord.backend.models import Interaction

from bot.db import Database
from bot.jobs.models import JobState
from bot.ui.kit import answers as kit_answers
from bot.ui.kit.answers import FORM_TOO_LATE
from tests.reactions.taps import ROOM, post
from tests.reactions.test_mentions import HALL, answer_to, mention
from tests.support.database import holding
from tests.support.desk import DONE, Desk, answer_of, keep_answers, labelled, open_listed, pieces, texts
from tests.support.patience import PATIENCE
from tests.support.presses import send_command, send_menu, send_press
from tests.ui.admin.moderation.test_approval import shown as shown_result, watched
from tests.ui.admin.moderation.waiting import approvals, ask, forbid
from tests.ui.jobs.late import announced, asked, at_once, kept, late, rows, slow_to_read
from tests.ui.jobs.results import opened, result_of
from tests.ui.jobs.test_listing import listed

JOB = "0123456789abcdef"
# For those that commands need.
OPTIONS = {"name": "Dawn", "words": "kite", "emoji": "🛋️", "tool": "studio"}
OF_JOBS = (
    *("cancel", "delete", "again", "use", "edit", "staged", "charged", "release", "approve", "decline"),
    *("more", "full"),
    *("approve-result", "decline-result", "release-result", "see-result", "save", "logdelete"),
)
BUTTONS = [
    *(f"studii:{action}:{JOB}-0" for action in OF_JOBS),
    "studii:jobs:mine:0:any:any",
    *(f"studii:listed:{action}:{JOB}:mine:0" for action in ("cancel", "post", "show")),
    "studii:tryagain:{guild}",
    "studii:tool:studio",
    "studii:help",
    "studii:mention:studio:{admin}:1:8",
    f"studii:set:cancel:{JOB}",
    f"studii:set:again:{JOB}",
    *(f"studii:{one}:{JOB}" for one in ("drop", "dropped")),
    f"studii:set:delete:{JOB}",
    f"studii:style:use:{JOB}",
    f"studii:style:remove:{JOB}",
    "studii:defaults:studio",
    *(f"studii:setup:{what}" for what in ("key", "open", "look", "panel", "ask:1", "forget:1")),
    *(f"studii:put:setup:{what}" for what in ("paused:on", "in_place:on", "log_results:on")),
    *(f"studii:fill:{what}" for what in ("setup:budget", "credits:rate", "photos:emoji", "photos:autos")),
    *("studii:usage:days_30", "studii:ledger:ever"),
    "studii:put:settings:photos:off",
    "studii:best:yes",
    "studii:forgetme:here",
    f"studii:confirm:{JOB}",
    "studii:ask:{guild}:studio:8",
    f"studii:more:grant:{JOB}",
]
LISTS = {
    "studii:jobsby:state:mine:0": "done",
    f"studii:set:pick:{JOB}:0": JOB,
}


@pytest.mark.promise
async def test_every_press_is_answered_before_the_database_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        shown = list[tuple[discord.Message, str, str | None]]()
        for pattern in (*BUTTONS, *LISTS):
            custom_id = pattern.format(guild=desk.guild.id, admin=desk.admin.id)
            message = await (a_list(desk, custom_id) if pattern in LISTS else desk.channel_message(custom_id))
            shown.append((message, custom_id, LISTS.get(pattern)))
        async with held(monkeypatch, desk):
            for message, custom_id, chosen in shown:
                asked = send_press(desk, desk.admin, message, custom_id, chosen=chosen)
                await acknowledged(desk, asked, custom_id)
        assert await kept(desk) == []


@pytest.mark.promise
async def test_every_command_is_answered_before_the_database_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        photo = await post(desk, desk.maya, ROOM)
        async with held(monkeypatch, desk):
            for command in desk.bot.tree.walk_commands():
                if not isinstance(command, app_commands.Command):
                    continue
                needed = [one.name for one in command.parameters if one.required]
                name = command.qualified_name
                if needed != ["image"]:  # those of the tools; one of them is tried
                    asked = send_command(desk, desk.admin, name, **{one: OPTIONS[one] for one in needed})
                    await acknowledged(desk, asked, name)
            for menu in desk.bot.tree.get_commands(type=discord.AppCommandType.message):
                await acknowledged(desk, send_menu(desk, desk.tom, menu.name, photo), menu.name)
        assert await kept(desk) == []


async def a_list(desk: Desk, custom_id: str) -> discord.Message:
    view = discord.ui.LayoutView(timeout=None)
    options = [discord.SelectOption(label=one) for one in LISTS.values()]
    view.add_item(discord.ui.ActionRow(discord.ui.Select(custom_id=custom_id, options=options)))
    return await desk.text_channel().send(view=view)


@asynccontextmanager
async def held(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> AsyncGenerator[None]:
    """Let the database answer nobody during the block. After it all are answered, and nobody waits."""
    with monkeypatch.context() as patch:
        go_on = slow_to_read(patch)
        patch.setattr(kit_answers, "FORM_BY", 0.0)
        async with holding(desk.db):
            yield
        go_on.set()
        await desk.env.settle()
    waiting = [one for one in desk.env.backend.interactions.values() if one.loading]
    assert waiting == []


async def acknowledged(desk: Desk, asked: Interaction, what: str) -> InteractionResult:
    try:
        async with asyncio.timeout(PATIENCE):
            while not (shown := InteractionResult(desk.env, asked)).acknowledged:  # noqa: ASYNC110 - the bot's
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"{what} isn't answered") from None
    return shown


@pytest.mark.promise
async def test_a_form_that_is_handed_in_is_answered_before_the_database_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        message = await desk.channel_message("studii:fill:setup:budget")
        form: Any = await desk.admin.click(message, custom_id="studii:fill:setup:budget")
        async with holding(desk.db):
            asking = asyncio.create_task(desk.admin.submit_modal(form, {"limit": "70", "period": ["day"]}))
            await announced(desk)
        assert "70" in texts((await asking).response)
        assert await kept(desk) == []


async def test_a_result_of_ones_own_is_shown_in_the_place_of_a_late_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=True)
        done = {"announced_at": desk.clock.now(), "finished_at": desk.clock.now(), "output_file": "x.png"}
        await desk.move(await desk.job(), *DONE, **done)
        desk.clock.advance(16 * 60)
        offered = await open_listed(desk.maya, await listed(desk))
        shown = await desk.maya.click(answer_of(offered), custom_id=labelled(offered, "Show result"))
        assert shown.ephemeral
        job = await desk.job()
        assert job.posting == 1
        assert [one.subject for one in await rows(desk)] == [job.id]
        assert await kept(desk) == []


@pytest.mark.promise
async def test_suggestions_come_without_what_the_database_does_not_say_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk, held(monkeypatch, desk):
        for command, option in (("studio", "style"), ("virtual-staging", "style"), ("styles", "name")):
            found = await desk.admin.autocomplete(desk.channel, command, option, "")
            # The tool's own values need no database.
            assert bool(found) is (command == "virtual-staging"), command


# The answer comes later, to whom it concerns


@pytest.mark.promise
@pytest.mark.parametrize("private", [False, True])
async def test_progress_comes_late_in_place_of_what_announced_it_to_its_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, private: bool
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        shown = await asked(desk, desk.maya, **({"private": True} if private else {}))
        assert shown.ephemeral
        assert "A kite" in texts(shown.response)
        assert desk.channel.history() == []
        assert await kept(desk) == []


@pytest.mark.promise
async def test_an_answer_in_time_is_not_announced(desk: Desk) -> None:
    keep_answers(desk)
    shown = await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    assert not shown.deferred
    assert await kept(desk) == []


# A form can't come late: where what it shows takes too long, its person is asked to try again

MAX_WAITS_OF_A_PATH = 20
DAWN = "Dawn"
Send = Callable[[], Interaction]
Ready = Callable[[Desk, Path], Awaitable[Send]]


def a_command(name: str, **options: str) -> Ready:
    async def ready(desk: Desk, _folder: Path) -> Send:
        return lambda: send_command(desk, desk.maya if name == "studio" else desk.admin, name, **options)

    return ready


def a_button(custom_id: str) -> Ready:
    async def ready(desk: Desk, _folder: Path) -> Send:
        return await a_press(desk, desk.admin, custom_id)

    return ready


async def a_press(desk: Desk, who: MemberActor, custom_id: str) -> Send:
    message = await desk.channel_message(custom_id)
    return lambda: send_press(desk, who, message, custom_id)


async def styled(desk: Desk) -> str:
    """Return the id of a style of Maya's that takes her words."""
    studio, inputs = desk.bot.catalog.get("studio"), {"prompt": "A harbour at dawn, {text}"}
    return (await desk.save_style(desk.maya, DAWN, studio, inputs)).id


async def a_command_with_a_style(desk: Desk, _folder: Path) -> Send:
    await styled(desk)
    return lambda: send_command(desk, desk.maya, "studio", style=DAWN)


async def a_styles_button(desk: Desk, _folder: Path) -> Send:
    return await a_press(desk, desk.maya, f"studii:style:use:{await styled(desk)}")


async def edit_of_a_photo(desk: Desk, _folder: Path) -> Send:
    """Edit, where the photo is in a member's message and has to be looked up there."""
    photo = await post(desk, desk.maya, ROOM)
    await desk.maya.context_menu(desk.channel, "Photo restoration", photo)
    return await a_press(desk, desk.maya, f"studii:edit:{(await desk.job()).id}-0")


async def save_as_style(desk: Desk, folder: Path) -> Send:
    await result_of(desk, folder, desk.maya, "studio", prompt="A harbour")
    return await a_press(desk, desk.maya, f"studii:save:{(await desk.job()).id}-0")


async def charged(desk: Desk, _folder: Path) -> Send:
    await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    job = await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)
    return await a_press(desk, desk.admin, f"studii:charged:{job.id}-0")


async def decline_a_request(desk: Desk, _folder: Path) -> Send:
    message = await ask(desk, await approvals(desk))
    return lambda: send_press(desk, desk.admin, message, labelled(message, "Decline"))


async def decline_a_result(desk: Desk, folder: Path) -> Send:
    message = await shown_result(desk, folder, await watched(desk))
    return lambda: send_press(desk, desk.admin, message, labelled(message, "Decline"))


async def decline_a_result_in_a_list(desk: Desk, folder: Path) -> Send:
    """The same for the moderator alone: the channel for approvals has to be read."""
    await shown_result(desk, folder, await watched(desk))
    custom_id = f"studii:decline-result:{(await desk.job()).id}-0"
    message = await desk.channel_message(custom_id)
    stored = desk.env.backend.get_message(message.channel.id, message.id)
    stored.flags |= discord.MessageFlags(ephemeral=True).value
    return lambda: send_press(desk, desk.admin, message, custom_id)


def a_mention(words: str, *photos: tuple[str, bytes]) -> Ready:
    async def ready(desk: Desk, _folder: Path) -> Send:
        offer = answer_to(desk, await mention(desk, desk.maya, words, *photos))
        assert offer is not None
        return lambda: send_press(desk, desk.maya, offer, labelled(offer, "Virtual staging"))

    return ready


async def a_mention_under_a_result(desk: Desk, folder: Path) -> Send:
    """A mention whose photo is a result: whose it is has to be read."""
    result = await result_of(desk, folder, desk.tom, "photo-restore", image=ROOM)
    offer = answer_to(desk, await mention(desk, desk.maya, "", under=result))
    assert offer is not None
    return lambda: send_press(desk, desk.maya, offer, labelled(offer, "Virtual staging"))


async def a_choice_in_a_list(desk: Desk, _folder: Path) -> Send:
    """A tool that is chosen in the list for a photo."""
    photo = await post(desk, desk.maya, ROOM)
    message = answer_of(await desk.maya.context_menu(desk.channel, "Studii…", photo))
    (custom_id,) = (str(one["custom_id"]) for one in pieces(message) if one["type"] == 3)
    return lambda: send_press(desk, desk.maya, message, custom_id, chosen="virtual-staging")


async def edit_of_a_refused_form(desk: Desk, _folder: Path) -> Send:
    await forbid(desk, "blimp")
    form = await opened(desk, desk.maya, "studio")
    refused = await desk.maya.submit_modal(form, {"prompt": "A blimp", "mode": "video"})
    message, custom_id = answer_of(refused), labelled(refused, "Edit")
    return lambda: send_press(desk, desk.maya, message, custom_id)


async def a_photos_menu(desk: Desk, folder: Path) -> Send:
    result = await result_of(desk, folder, desk.maya, "photo-restore", image=ROOM)
    return lambda: send_menu(desk, desk.tom, "Virtual staging", result)


PATHS: dict[str, Ready] = {
    "a tool's command": a_command("studio"),
    "a tool's command with a style": a_command_with_a_style,
    "a tool's button": a_button("studii:tool:studio"),
    "a button for defaults": a_button("studii:defaults:studio"),
    "a button for the key": a_button("studii:setup:key"),
    "a setting": a_button("studii:fill:credits:budget"),
    "a style's button": a_styles_button,
    "edit": edit_of_a_photo,
    "save": save_as_style,
    "charged": charged,
    "decline a request": decline_a_request,
    "decline a result": decline_a_result,
    "decline a result in a list": decline_a_result_in_a_list,
    "a mention": a_mention("", ROOM),
    "a mention with more photos and words": a_mention("the hall", ROOM, HALL),
    "a mention under a result": a_mention_under_a_result,
    "a photo's menu": a_photos_menu,
    "a choice in a list": a_choice_in_a_list,
    "edit of a refused form": edit_of_a_refused_form,
}


@pytest.mark.promise
@pytest.mark.parametrize("path", PATHS)
async def test_whatever_a_form_waits_for_is_not_waited_for_too_long(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    send = await PATHS[path](desk, tmp_path)
    monkeypatch.setattr(kit_answers, "_later", at_once)  # an announcement would come before the form
    for number in range(1, MAX_WAITS_OF_A_PATH):
        with monkeypatch.context() as patch:
            waits = Waits(patch, desk.bot.http, number)
            shown = await acknowledged(desk, send(), path)
            waits.end()
            await desk.env.settle()
            assert waits.unbounded == []
        if waits.count < number:  # it was not held
            assert shown.modal is not None
            assert number > 1
            return
        assert shown.modal is None
        assert shown.ephemeral
        assert texts(shown.response) == str(FORM_TOO_LATE)
    raise AssertionError("too many waits")


# What an answer waits for


class Waits:
    """The waits for reads of the database and for requests to Discord, on the way to a form.

    The one with the number `held`, from 1, takes too long for the form. `unbounded` are those that could take
    any time without that anyone is told.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, discord_: HTTPClient, held: int) -> None:
        self.count = 0
        self.unbounded = list[str]()
        self._held = held
        self._bounds = list[asyncio.Timeout]()
        self._over = asyncio.Event()
        ask, request = Database.read, discord_.request

        async def slow_asking(db: Database, work: Callable[..., Any], *args: Any, **more: Any) -> Any:
            await self._wait("the database")
            return await ask(db, work, *args, **more)

        async def slow_request(route: Route, **given: Any) -> Any:
            await self._wait(f"{route.method} {route.path}")
            return await request(route, **given)

        monkeypatch.setattr(Database, "read", slow_asking)
        monkeypatch.setattr(discord_, "request", slow_request)
        monkeypatch.setattr(kit_answers, "_within", self._within)

    def end(self) -> None:
        """Let go on who else waits for what was held."""
        self._over.set()

    @asynccontextmanager
    async def _within(self, _seconds: float) -> AsyncGenerator[None]:
        async with asyncio.timeout(None) as bound:
            self._bounds.append(bound)
            try:
                yield
            finally:
                self._bounds.remove(bound)

    async def _wait(self, what: str) -> None:
        self.count += 1
        if not self._bounds:
            self.unbounded.append(what)
        elif self.count == self._held:
            for bound in self._bounds:
                bound.reschedule(asyncio.get_running_loop().time())
            await self._over.wait()
