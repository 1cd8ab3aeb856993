"""A posting that Discord refuses: for good, for now, or because it was made before."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.posts import Later
from tests.delivery.finished import MESSAGES, finished, output, posted
from tests.support.desk import Desk, open_desk
from tests.support.posts import Posted, Undeliverable, tell_end


async def announce_in(desk: Desk, folder: Path, **permissions: bool) -> Any:
    job = await finished(desk)
    channel = desk.channel_for_the_bot("closed", **permissions)
    await desk.env.settle()
    return await tell_end(desk.delivery, replace(job, channel_id=channel.id), output(folder))


@pytest.mark.promise
@pytest.mark.parametrize("lost", ["view_channel", "send_messages", "attach_files"])
async def test_where_the_bot_may_not_post_any_more_and_dms_are_closed_it_is_undeliverable(
    desk: Desk, tmp_path: Path, lost: str
) -> None:
    desk.close_dms()
    outcome = await announce_in(desk, tmp_path, **{lost: False})
    assert isinstance(outcome, Undeliverable)
    assert lost.replace("_", " ").title() in outcome.reason


@pytest.mark.promise
@pytest.mark.parametrize(("status", "code"), [(401, 0), (403, 0), (403, 40333), (429, 0), (500, 0), (503, 0)])
async def test_what_may_pass_is_tried_later_and_then_arrives(
    desk: Desk, tmp_path: Path, status: int, code: int
) -> None:
    job = await finished(desk)
    desk.env.inject_error("POST", MESSAGES, status=status, code=code, times=1)
    outcome = await tell_end(desk.delivery, job, output(tmp_path))
    assert isinstance(outcome, Later)
    assert outcome.seconds > 0
    await posted(desk, job, output(tmp_path))


async def test_a_posting_that_somebody_deleted_is_not_made_again(desk: Desk, tmp_path: Path) -> None:
    # Discord answers a nonce that it knows with 10008 when its message was deleted.
    job = await finished(desk)
    desk.env.inject_error("POST", MESSAGES, status=404, code=10008, times=1)
    assert await tell_end(desk.delivery, job, output(tmp_path)) == Posted(None)


@pytest.mark.promise
async def test_no_trouble_with_discord_leaves_a_trace_of_the_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    async with open_desk(tmp_path) as desk:
        job = await finished(desk)
        desk.env.inject_error("POST", MESSAGES, status=500, times=1)
        await tell_end(desk.delivery, job, output(tmp_path))
    assert "simcord_interaction" not in caplog.text
