"""The buttons under a result, pressed by different people and after a restart."""

import re
from pathlib import Path

import discord
import pytest

from bot.jobs import transitions
from bot.jobs.models import FORGOTTEN_MEMBER, JobState
from bot.media.spool import OutputFile
from tests.support.desk import PNG, Desk, make_bot, open_desk, pieces, texts
from tests.support.posts import tell_end
from tests.support.services import sweep


async def posted_result(desk: Desk, folder: Path) -> discord.Message:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
    job = await desk.move(await desk.job(), *states, finished_at=desk.clock.now())
    file = folder / "out.png"
    file.write_bytes(PNG)
    await tell_end(desk.delivery, job, OutputFile(file, "image", "image/png", len(PNG)))
    return desk.channel.history()[-1]


def stands(desk: Desk, message: discord.Message) -> bool:
    return message.id in {shown.id for shown in desk.channel.history()}


def delete_id(message: discord.Message) -> str:
    (button,) = (piece for piece in pieces(message) if piece.get("label") == "Delete")
    return button["custom_id"]


@pytest.mark.promise
async def test_the_requester_can_delete_a_result(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        message = await posted_result(desk, tmp_path)
        await desk.maya.click(message, custom_id=delete_id(message))
        assert not stands(desk, message)


@pytest.mark.promise
async def test_others_cannot_delete_it_and_are_told_who_can(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        message = await posted_result(desk, tmp_path)
        answer = await desk.tom.click(message, custom_id=delete_id(message))
        assert answer.followups[0].ephemeral
        assert "a moderator (Manage Messages or Manage Server)" in texts(answer)
        assert stands(desk, message)


@pytest.mark.parametrize("who", ["maya", "tom"])
async def test_whoever_was_forgotten_can_still_delete_what_was_made_for_them(
    tmp_path: Path, who: str
) -> None:
    async with open_desk(tmp_path) as desk:
        message = await posted_result(desk, tmp_path)
        job = await desk.job()
        await desk.db.write(transitions.change, job.id, announced_at=desk.clock.now())
        await desk.forget(desk.maya)
        desk.clock.advance(7 * 86400)
        await sweep(desk.services)
        assert (await desk.job()).user_id == FORGOTTEN_MEMBER
        await getattr(desk, who).click(message, custom_id=delete_id(message))
        assert stands(desk, message) is (who == "tom")


@pytest.mark.promise
@pytest.mark.parametrize("permission", ["manage_messages", "manage_guild"])
async def test_someone_who_manages_messages_or_the_server_can_delete_it(
    tmp_path: Path, permission: str
) -> None:
    async with open_desk(tmp_path) as desk:
        message = await posted_result(desk, tmp_path)
        moderators = desk.guild.create_role("Mods", permissions=discord.Permissions(**{permission: True}))
        mod = desk.guild.add_member(desk.env.create_user("mo"), roles=[moderators])
        await mod.click(message, custom_id=delete_id(message))
        assert not stands(desk, message)


@pytest.mark.promise
async def test_the_button_works_after_a_restart(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        message = await posted_result(desk, tmp_path)
        bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
        await desk.env.restart_bot(bot)
        await desk.maya.click(message, custom_id=delete_id(message))
        assert not stands(desk, message)


async def test_a_second_click_on_delete_is_nothing_to_complain_about(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        message = await posted_result(desk, tmp_path)
        desk.env.inject_error("DELETE", "/webhooks/*/*/messages/*", status=404, code=10008, times=1)
        answer = await desk.maya.click(message, custom_id=delete_id(message))
        assert not answer.followups


@pytest.mark.promise
async def test_a_button_that_fails_gives_a_reference_that_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_desk(tmp_path) as desk:
        message = await posted_result(desk, tmp_path)
        desk.env.inject_error("DELETE", "/webhooks/*/*/messages/*", status=500, times=1)
        answer = await desk.maya.click(message, custom_id=delete_id(message))
        (reference,) = re.findall(r"reference `(\w+)`", texts(answer))
        assert answer.followups[-1].ephemeral
        assert f"(reference {reference})" in caplog.text
