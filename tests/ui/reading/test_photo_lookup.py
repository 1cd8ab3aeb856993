"""Again, Edit and Run again a day later, when the address that the photo was given with has expired."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle

from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.media.spool import OutputFile
from tests.support.desk import PNG, Desk, labelled, pieces, texts
from tests.support.posts import tell_end
from tests.support.settings import admin
from tests.ui.jobs.results.test_result_buttons import DONE

ROOM = PNG + b"room"
DAYS_AGO = "?ex=69000000&is=68fe0000&hm=2"


async def posted_by_tom(desk: Desk) -> discord.Message:
    return await desk.tom.send(
        desk.channel, "Look", attachments=[("a.png", PNG + b"another"), ("room.png", ROOM)]
    )


async def failed_long_ago(desk: Desk, **changes: Any) -> Job:
    """The job that was accepted last did not work out, days ago: its photo's address has expired."""
    job = await desk.job()
    assert job.source is not None
    old = replace(job.source, url=job.source.url + DAYS_AGO)
    failed = await desk.move(job, JobState.FAILED, failure=FailureCode.API, source=old, **changes)
    desk.clock.advance(3 * 86400)
    return failed


async def from_the_menu(desk: Desk) -> discord.Message:
    """Maya used a menu on the second picture of Tom's message."""
    await desk.set_key()
    message = await posted_by_tom(desk)
    shown = await desk.maya.context_menu(desk.channel, "Photo restoration", message)
    await desk.maya.submit_modal(shown, {"image": ["1"]})
    return message


async def run_again(desk: Desk, channel: ChannelHandle | None = None) -> Any:
    listed = await desk.maya.slash(channel or desk.channel, "jobs")
    assert listed.response is not None
    button = next(piece for piece in pieces(listed) if str(piece.get("label")).startswith("Run again"))
    return await desk.maya.click(listed.response, custom_id=button["custom_id"])


async def number_of_jobs(desk: Desk) -> int:
    return len(await desk.db.read(queries.in_states, list(JobState)))


@pytest.mark.promise
async def test_a_tapped_photo_is_had_from_its_message_again(desk: Desk) -> None:
    await admin(desk, "reactions on")
    await desk.maya.react(await posted_by_tom(desk), "🩹")
    await failed_long_ago(desk)
    await run_again(desk)
    again = await desk.job()
    assert again.source is not None
    assert desk.env.backend.cdn.get(again.source.url) == PNG + b"another"


@pytest.mark.promise
@pytest.mark.parametrize("gone", ["message", "photo", "channel"])
async def test_where_the_photo_is_gone_it_says_so_and_nothing_is_spent(desk: Desk, gone: str) -> None:
    message = await from_the_menu(desk)
    await failed_long_ago(desk)
    if gone == "message":
        await desk.tom.delete(message)
    elif gone == "photo":
        job = await desk.job()
        assert job.source is not None
        elsewhere = replace(job.source, url="https://cdn.discordapp.com/attachments/1/2/x.png" + DAYS_AGO)
        await desk.db.write(transitions.change, job.id, source=elsewhere)
    else:
        desk.env.inject_error("GET", "/channels/*/messages/*", status=404, code=10003, times=1)
    answer = await run_again(desk)
    assert answer.ephemeral
    assert "The original photo is no longer in Discord" in texts(answer)
    assert "Nothing was charged" in texts(answer)
    assert await number_of_jobs(desk) == 1


@pytest.mark.promise
async def test_trouble_at_discord_is_told_apart_from_a_photo_that_is_gone(desk: Desk) -> None:
    await from_the_menu(desk)
    await failed_long_ago(desk)
    desk.env.inject_error("GET", "/channels/*/messages/*", status=503, times=None)
    answer = await run_again(desk)
    assert "Try again in a moment" in texts(answer)
    assert await number_of_jobs(desk) == 1


def output(path: Path) -> OutputFile:
    return OutputFile(path, "image", "image/png", path.stat().st_size)


async def test_a_photo_that_was_deleted_is_not_used_though_its_address_still_works(
    desk: Desk, tmp_path: Path
) -> None:
    message = await posted_by_tom(desk)
    form = await desk.maya.context_menu(desk.channel, "Virtual staging", message)
    await desk.maya.submit_modal(form, {"image": ["1"], "style": "luxury", "room": "living"})
    done: dict[str, Any] = {"finished_at": desk.clock.now(), "output_kind": "image"}
    job = await desk.move(await desk.job(), *DONE, **done)
    (tmp_path / "made.png").write_bytes(PNG + b"made")
    await tell_end(desk.delivery, job, output(tmp_path / "made.png"))
    result = desk.channel.history()[-1]
    await desk.tom.delete(message)
    answer = await desk.maya.click(result, custom_id=labelled(result, "Run again"))
    assert "The original photo is no longer in Discord" in texts(answer)
    form = await desk.maya.click(result, label="Edit")
    await desk.maya.submit_modal(form, {"image": ("mine.png", PNG + b"mine")})
    again = await desk.job()
    assert again.source is not None
    assert (again.source.filename, again.photo_author) == ("mine.png", None)
    assert await number_of_jobs(desk) == 2


@pytest.mark.parametrize("status", [403, 503])
async def test_a_photo_that_can_not_be_looked_for_is_had_as_it_was_given_while_that_is_good(
    desk: Desk, status: int
) -> None:
    await from_the_menu(desk)
    await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    desk.clock.advance(60)
    desk.env.inject_error("GET", "/channels/*/messages/*", status=status, code=50001, times=None)
    await run_again(desk)
    again = await desk.job()
    assert again.source is not None
    assert desk.env.backend.cdn.get(again.source.url) == ROOM
    await failed_long_ago(desk)
    await run_again(desk)
    assert await number_of_jobs(desk) == 2
