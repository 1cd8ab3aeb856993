"""The buttons under a result, pressed by different people and after a restart."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from bot.jobs import transitions
from bot.jobs.models import FORGOTTEN_MEMBER, Job, JobState
from bot.media.spool import OutputFile
from tests.delivery.postings.test_before_and_after import MADE
from tests.support.decoders import SharedDecoders
from tests.support.desk import PNG, Desk, labelled, make_bot, pieces, press_in, press_more, texts
from tests.support.panels import labels_of, shown_with
from tests.support.posts import tell_end
from tests.support.presses import press
from tests.support.services import sweep
from tests.support.simulated.delivery import delivery_on

DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


async def posted_result(desk: Desk, folder: Path, size: int = len(PNG)) -> discord.Message:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    done = {"finished_at": desk.clock.now(), "output_kind": "image", "output_url": "https://files.example/o"}
    job = await desk.move(await desk.job(), *DONE, **done)
    file = folder / "out.png"
    file.write_bytes(PNG if size == len(PNG) else MADE)
    delivery = delivery_on(desk.bot, desk.bot.catalog, desk.clock, SharedDecoders())
    await tell_end(delivery, job, OutputFile(file, "image", "image/png", size))
    return desk.channel.history()[-1]


def gone(session: Session, job_id: str) -> None:
    session.execute(sql("DELETE FROM ledger"))
    session.execute(sql("DELETE FROM posts"))
    session.execute(sql("DELETE FROM jobs WHERE id = :id"), {"id": job_id})


def labels(shown: Any) -> list[str]:
    return [piece["label"] for piece in pieces(shown) if piece["type"] == 2]


def stands(desk: Desk, message: discord.Message) -> bool:
    return message.id in {shown.id for shown in desk.channel.history()}


@pytest.mark.promise
async def test_others_are_offered_what_they_may_do_and_told_who_can_delete(
    desk: Desk, tmp_path: Path
) -> None:
    message = await posted_result(desk, tmp_path)
    assert labels(await press_more(desk.maya, message)) == ["Use in…", "Save as style", "Delete"]
    assert labels(await press_more(desk.tom, message)) == ["Use in…"]
    question = await press_more(desk.maya, message, "Delete")
    old = await desk.channel_message(f"studii:delete:{(await desk.job()).id}-0")  # as results had it
    refused = await press(desk, desk.tom, old, f"studii:delete:{(await desk.job()).id}-0")
    assert refused.ephemeral
    assert "a moderator (Manage Messages or Manage Server)" in texts(refused)
    forged = labelled(question, "Delete")
    told = await press(desk, desk.tom, await desk.channel_message(forged), forged)
    assert "Only the person who asked for this" in texts(told)
    assert stands(desk, message)


async def test_what_is_left_of_a_job_whose_row_is_gone_is_deleted_by_its_person_alone(
    desk: Desk, tmp_path: Path
) -> None:
    message = await posted_result(desk, tmp_path)
    await desk.db.write(gone, (await desk.job()).id)
    for label in ("Run again", "Edit", "Full size", "More…"):
        told = await desk.tom.click(message, custom_id=labelled(message, label))
        assert "There's no such job here." in texts(told)
    question = await desk.maya.click(message, label="More…")
    await press_in(desk.maya, question, "Delete")
    assert not stands(desk, message)


@pytest.mark.promise
async def test_a_private_result_is_deleted_without_a_question_and_is_nobody_elses(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=True)
    job = await desk.move(await desk.job(), *DONE, finished_at=desk.clock.now(), output_kind="image")
    ids = labels_of(shown_with(job, f"studio-{job.id[:8]}.png"))
    assert ids[1:] == ["Edit", "Full size", "More…", "Delete"]
    for action in ("more", "full"):
        forged = f"studii:{action}:{job.id}-0"
        told = await press(desk, desk.tom, await desk.channel_message(forged), forged)
        assert "That result is private to someone else." in texts(told)


@pytest.mark.promise
async def test_full_size_is_discords_own_link_or_one_that_studii_has_just_signed(
    desk: Desk, tmp_path: Path
) -> None:
    message = await posted_result(desk, tmp_path)
    told = texts(await desk.tom.click(message, label="Full size"))
    assert f"(<{message.attachments[0].url}>)" in told
    message = await posted_result(desk, tmp_path, 30 * 1024 * 1024)
    assert "Shown smaller than it was made" in texts(message)

    async def fresh_link(job: Job) -> str:
        return f"https://files.example/{job.id}?signed=now"

    desk.bot.services = replace(desk.bot.services, fresh_link=fresh_link)
    told = texts(await desk.tom.click(message, label="Full size"))
    assert f"(<https://files.example/{(await desk.job()).id}?signed=now>)" in told


@pytest.mark.parametrize("who", ["maya", "tom"])
async def test_whoever_was_forgotten_can_still_delete_what_was_made_for_them(
    desk: Desk, tmp_path: Path, who: str
) -> None:
    message = await posted_result(desk, tmp_path)
    job = await desk.job()
    await desk.db.write(transitions.change, job.id, announced_at=desk.clock.now())
    await desk.forget(desk.maya)
    desk.clock.advance(7 * 86400)
    await sweep(desk.services)
    assert (await desk.job()).user_id == FORGOTTEN_MEMBER
    offered = await press_more(getattr(desk, who), message)
    assert ("Delete" in labels(offered)) is (who == "maya")
    if who == "maya":
        await press_more(desk.maya, message, "Delete", "Delete")
    assert stands(desk, message) is (who == "tom")


@pytest.mark.promise
@pytest.mark.parametrize("permission", ["manage_messages", "manage_guild"])
async def test_someone_who_manages_messages_or_the_server_can_delete_it(
    desk: Desk, tmp_path: Path, permission: str
) -> None:
    message = await posted_result(desk, tmp_path)
    moderators = desk.guild.create_role("Mods", permissions=discord.Permissions(**{permission: True}))
    mod = desk.guild.add_member(desk.env.create_user("mo"), roles=[moderators])
    await press_more(mod, message, "Delete", "Delete")
    assert not stands(desk, message)


@pytest.mark.promise
async def test_the_requester_can_delete_a_result_also_after_a_restart(desk: Desk, tmp_path: Path) -> None:
    message = await posted_result(desk, tmp_path)
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)
    await press_more(desk.maya, message, "Delete", "Delete")
    assert not stands(desk, message)


@pytest.mark.promise
async def test_of_two_presses_at_once_one_deletes_it_and_the_other_says_that_it_is_deleted(
    desk: Desk,
    tmp_path: Path,
) -> None:
    message = await posted_result(desk, tmp_path)
    questions = [await press_more(desk.maya, message, "Delete") for _ in range(2)]
    answers = [await press_in(desk.maya, one, "Delete") for one in questions]
    assert not stands(desk, message)
    assert sum("That was already deleted." in texts(one) for one in answers) == 1


@pytest.mark.promise
async def test_a_button_that_fails_gives_a_reference_that_is_in_the_log(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    message = await posted_result(desk, tmp_path)
    desk.env.inject_error("DELETE", "/channels/*/messages/*", status=500)
    answer = await press_more(desk.maya, message, "Delete", "Delete")
    (reference,) = re.findall(r"reference `(\w+)`", texts(answer))
    assert answer.followups[-1].ephemeral
    assert f"(reference {reference})" in caplog.text
