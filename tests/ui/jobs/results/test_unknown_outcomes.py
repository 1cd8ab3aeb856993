"""The buttons under a warning: they work once, and for admins alone."""

from typing import Any

import discord
import pytest
from discord import ui

from bot import posts
from bot.credits import ledger
from bot.jobs import holds as key_holds
from bot.jobs.models import Job, JobState
from bot.jobs.submission import tell_unknown
from bot.posts import Post
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, privacy
from bot.servers.notices import NoticeKind
from bot.ui.jobs.listing import ruling_buttons
from bot.ui.kit.layout import Panel, row
from bot.ui.kit.reasons import reason_words
from tests.support.database import given
from tests.support.desk import Desk, pieces, started, texts
from tests.support.posts import deliver, open_posts
from tests.support.services import rule

REASON = Reason(ReasonCode.OUT_OF_CREDITS)


async def warned(desk: Desk) -> discord.Message:
    """The server's key is out of credits, and its admins read so in their log channel."""
    await desk.set_key()
    key = await desk.services.db.read(keys.current, desk.guild.id)
    assert key is not None
    await desk.db.write(key_holds.put_hold, desk.guild.id, key.id, REASON, desk.clock.now().replace(hour=23))
    kind, now = NoticeKind.OUT_OF_CREDITS, desk.clock.now()
    assert await desk.db.write(
        posts.want, desk.guild.id, kind, "1", at=now, details={"reason": REASON.encode()}
    )
    (notice,) = await desk.db.write(open_posts)
    assert isinstance(notice, Post)
    await deliver(desk, notice, desk.channel.id, None)
    return desk.channel.history()[-1]


async def test_an_admin_presses_try_again_and_the_next_command_is_taken(desk: Desk) -> None:
    warning = await warned(desk)
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert "Studii has no credits left for this." in texts(refused)
    answer = await desk.admin.click(warning, label="Try again")
    assert answer.ephemeral
    assert "will try Studii now" in texts(answer)
    taken = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert started(taken)


@pytest.mark.promise
async def test_try_again_is_for_admins_alone(desk: Desk) -> None:
    answer = await desk.maya.click(await warned(desk), label="Try again")
    assert "You need the Manage Server permission" in texts(answer)
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert "Studii has no credits left for this." in texts(refused)


async def test_try_again_says_when_nothing_is_held_any_more(desk: Desk) -> None:
    warning = await warned(desk)
    await desk.set_key()
    answer = await desk.admin.click(warning, label="Try again")
    assert "The key works" in texts(answer)


async def lost(desk: Desk, *, private: bool = False) -> Job:
    """A job of Maya's with an unknown outcome."""
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=private)
    return await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)


def labels(shown: object) -> list[str]:
    return [piece["label"] for piece in pieces(shown) if piece["type"] == 2]


async def test_the_message_of_a_settled_job_loses_its_buttons(desk: Desk) -> None:
    job = await lost(desk)
    said = ui.TextDisplay[Any]("Studii's answer to this job did not arrive.")
    view = Panel(said, row(*ruling_buttons(job)))
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    told = await channel.send(view=view)  # as an earlier version said it
    assert set(labels(told)) == {"Release credits", "Mark as charged"}
    assert "Not charged." in texts(await desk.admin.click(told, label="Release credits"))
    assert not labels(desk.channel.history()[-1])
    assert await desk.db.read(ledger.differing) == []


async def in_the_log(desk: Desk, job: Job) -> discord.Message:
    """Post to the log channel that the job's outcome is unknown."""
    await desk.db.write(given(tell_unknown, job, desk.clock.now()))
    (notice,) = await desk.db.write(open_posts)
    await deliver(desk, notice, desk.channel.id, job)
    return desk.channel.history()[-1]


@pytest.mark.promise
@pytest.mark.parametrize("label", ["Release credits", "Mark as charged"])
async def test_what_is_settled_in_the_log_channel_loses_its_buttons(desk: Desk, label: str) -> None:
    told = await in_the_log(desk, await lost(desk))
    answer = await desk.admin.click(told, label=label)
    if answer.modal is not None:
        await desk.admin.submit_modal(answer, {"amount": "5"})
    (after,) = [one for one in desk.channel.history() if one.id == told.id]
    assert "A job with an unknown outcome" in texts(after)
    assert not labels(after)


async def test_a_late_press_in_the_log_channel_removes_the_buttons_too(desk: Desk) -> None:
    job = await lost(desk)
    told = await in_the_log(desk, job)
    await rule(desk.services, desk.guild.id, job.id, 5)
    late = await desk.admin.click(told, label="Mark as charged")
    assert "already settled: charged 5 credits" in texts(late)
    assert not labels(desk.channel.history()[-1])


async def test_a_job_that_studii_has_when_the_bot_is_removed_ends_at_what_studii_charged(
    desk: Desk,
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    await desk.move(await desk.job(), *states, charged=5)
    await desk.services.db.write(privacy.left, desk.guild.id, desk.clock.now())
    ended = await desk.job()
    assert (ended.state, ended.settled, ended.reserved) == (JobState.FAILED, 5, 0)
    assert "removed from the server while this job was running" in reason_words(ended.failure_text)


async def test_the_owner_reads_in_a_direct_message_what_was_lost_and_where_to_settle_it(
    desk: Desk,
) -> None:
    job = await lost(desk)
    await desk.db.write(given(tell_unknown, job, desk.clock.now()))
    (notice,) = await desk.db.write(open_posts)
    await deliver(desk, notice, None, job)
    sent = [one.json for one in desk.env.http_requests if one.path.endswith("/messages")][-1]
    told = str(sent)
    assert f"<@{desk.maya.id}>" in told
    assert "Studii's answer to this job didn't arrive" in told
    assert "`/jobs`" in told
    assert "'custom_id'" not in told  # a button there could not know who manages the server


@pytest.mark.parametrize("private", [False, True])
async def test_admins_settle_what_nobody_knows_in_the_list_of_the_servers_jobs(
    desk: Desk, *, private: bool
) -> None:
    await lost(desk, private=private)
    shown = await desk.admin.slash(desk.channel, "jobs")
    assert shown.response is not None
    await desk.admin.click(shown.response, label="Server jobs")
    assert "](https://discord.com" not in texts(shown)  # there is no message with it yet
    assert "Not charged." in texts(await desk.admin.click(shown.response, label="Release credits"))
    ruled = await desk.job()
    assert (ruled.state, ruled.reserved) == (JobState.FAILED, 0)


async def test_who_does_not_manage_the_server_settles_nothing_in_their_list(desk: Desk) -> None:
    await lost(desk)
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert "outcome unknown" in texts(shown)
    assert not {"Release credits", "Mark as charged"} & set(labels(shown))
