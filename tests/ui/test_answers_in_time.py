"""Whatever people press, choose or type, Discord has its first answer before the database has."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands
from simcord.backend.models import Interaction

from bot.ui.kit import answers as kit_answers
from tests.cogs.test_jobs import listed
from tests.reactions.taps import ROOM, post
from tests.support.database import holding
from tests.support.desk import DONE, Desk, answer_of, labelled, open_listed, texts
from tests.support.patience import PATIENCE
from tests.support.presses import send_command, send_menu, send_press
from tests.ui.jobs.late import announced, kept, late, rows, slow_to_read

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
                await acknowledged(asked, custom_id)
        assert await kept(desk) == []


@pytest.mark.promise
async def test_every_command_is_answered_before_the_database_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        photo = await post(desk, desk.maya, ROOM)
        async with held(monkeypatch, desk):
            for command in commands_of(desk):
                needed = [one.name for one in command.parameters if one.required]
                name = command.qualified_name
                if needed != ["image"]:  # those of the tools; one of them is tried
                    asked = send_command(desk, desk.admin, name, **{one: OPTIONS[one] for one in needed})
                    await acknowledged(asked, name)
            for menu in desk.bot.tree.get_commands(type=discord.AppCommandType.message):
                await acknowledged(send_menu(desk, desk.tom, menu.name, photo), menu.name)
        assert await kept(desk) == []


def commands_of(desk: Desk) -> Iterator[app_commands.Command[Any, ..., Any]]:
    for command in desk.bot.tree.walk_commands():
        if isinstance(command, app_commands.Command):
            yield command


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


async def acknowledged(asked: Interaction, what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not asked.responded:  # noqa: ASYNC110 - the bot's
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"{what} isn't answered") from None


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


SUGGESTIONS = {
    "studio": "style",
    "virtual-staging": "style",
    "styles": "name",
}


@pytest.mark.promise
async def test_suggestions_come_without_what_the_database_does_not_say_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with late(tmp_path, monkeypatch) as desk, held(monkeypatch, desk):
        for command, option in SUGGESTIONS.items():
            found = await desk.admin.autocomplete(desk.channel, command, option, "")
            # The tool's own values need no database.
            assert bool(found) is (command == "virtual-staging"), command
