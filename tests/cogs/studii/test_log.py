"""The log channel, and what is posted there."""

from dataclasses import replace
from typing import Any

import pytest
from simcord import ChannelHandle
from sqlalchemy import select

from bot import posts
from bot.jobs import queries
from bot.jobs.models import Job, JobState
from bot.posts import NotHere, Outcome, Post, Stands
from bot.servers import settings
from bot.servers.notices import NoticeKind
from bot.studii import KeyRefused, OutOfCredits
from bot.ui.admin.notices import notice_panel
from tests.support.clock import NOON
from tests.support.database import given
from tests.support.desk import DONE, Desk, pieces, texts
from tests.support.jobs import staging
from tests.support.panels import CATALOG
from tests.support.posts import Posted, a_post, deliver, open_posts, placed, sent, tell_end
from tests.support.resources import sweep
from tests.support.settings import change, opened


async def log_of(desk: Desk) -> tuple[int | None, bool]:
    server = await desk.resources.db.read(settings.of, desk.guild.id)
    return server.log_channel_id, bool(server.log_results)


async def set_log(desk: Desk, *, results: bool = False) -> ChannelHandle:
    channel = desk.guild.create_text_channel("studii-log")
    await change(desk, "setup", "log_channel", channel)
    if results:
        await change(desk, "setup", "log_results")
    return channel


async def told(desk: Desk, kind: NoticeKind, key: str = "1", **details: Any) -> Post:
    """The notice in the outbox."""
    job_id = details.pop("job_id", None)
    await desk.db.write(
        posts.want, desk.guild.id, kind, key, at=desk.clock.now(), job_id=job_id, details=details
    )
    return (await desk.db.write(open_posts))[-1]


async def post_notice(desk: Desk, notice: Post, channel: ChannelHandle | int | None) -> Outcome:
    job = None if notice.job_id is None else await desk.db.read(queries.get, notice.job_id)
    place = channel.id if isinstance(channel, ChannelHandle) else channel
    return await deliver(desk, notice, place, job)


async def made(desk: Desk) -> Job:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.move(await desk.job(), *DONE, finished_at=desk.clock.now(), output_kind="image")
    await desk.settle(job, 8)
    said = await tell_end(desk.delivery, await desk.job(), None)
    assert isinstance(said, Posted)
    await desk.change(job, result_message_id=said.message_id)
    return await desk.job()


@pytest.mark.promise
async def test_a_channel_is_shown_set_and_cleared(desk: Desk) -> None:
    assert "**Log channel**: none yet" in texts(await opened(desk, "setup"))
    channel = desk.guild.create_text_channel("studii-log")
    shown = await change(desk, "setup", "log_channel", channel)
    assert f"✅ **Log channel**: set to <#{channel.id}>." in shown
    assert "**Who made what**: off" in shown
    assert "now Studii's log channel" in texts(channel.history()[-1])
    shown = await change(desk, "setup", "log_results")
    assert "✅ **Who made what**: changed from off to on." in shown
    assert await log_of(desk) == (channel.id, True)
    assert len(channel.history()) == 1
    assert "**Log channel**: none yet" in await change(desk, "setup", "log_channel", None)
    assert await log_of(desk) == (None, False)


@pytest.mark.promise
async def test_a_channel_in_which_the_bot_may_not_post_is_refused_and_leaves_the_one_before(
    desk: Desk,
) -> None:
    before = await set_log(desk, results=True)
    shown = await change(desk, "setup", "log_channel", desk.channel_for_the_bot("shut", send_messages=False))
    assert "**Send Messages**" in shown
    desk.env.inject_error("POST", f"/channels/{desk.channel.id}/messages", status=403, code=50013)
    for one in (shown, await change(desk, "setup", "log_channel", desk.channel)):
        assert "Nothing was changed" in one
    assert await log_of(desk) == (before.id, True)


@pytest.mark.promise
async def test_what_was_posted_before_a_crash_is_found_instead_of_posted_again(desk: Desk) -> None:
    channel = await set_log(desk)
    notice = await told(desk, NoticeKind.OUT_OF_CREDITS, reason="No credits.")
    first = await post_notice(desk, notice, channel)
    desk.clock.advance(3600)
    assert await desk.delivery.find(placed(notice, f"c{channel.id}"), None) == first


@pytest.mark.promise
async def test_what_was_written_in_an_age_restricted_channel_is_not_told_elsewhere(desk: Desk) -> None:
    channel = await set_log(desk, results=True)
    job = replace(await made(desk), age_restricted=True)
    notice = await told(desk, NoticeKind.MADE, job.nonce, job_id=job.id)
    await deliver(desk, notice, channel.id, job)
    line = texts(channel.history()[-1])
    assert f"made a **Studio** in <#{job.channel_id}>" in line
    assert "kite" not in line


@pytest.mark.promise
async def test_who_made_what_has_a_link_and_a_button_that_deletes_it(desk: Desk) -> None:
    channel = await set_log(desk, results=True)
    job = await made(desk)
    notice = await told(desk, NoticeKind.MADE, job.nonce, job_id=job.id)
    await post_notice(desk, notice, channel)
    line = channel.history()[-1]
    assert f"<@{desk.maya.id}> made a **Studio**" in texts(line)
    assert "A red kite" in texts(line)
    sent = [call.json for call in desk.env.http_requests if call.path.endswith(f"/{channel.id}/messages")]
    assert sent[-1] is not None
    assert sent[-1]["allowed_mentions"]["parse"] == []
    assert not sent[-1]["allowed_mentions"].get("users")
    links = [piece.get("url", "") for piece in pieces(line) if piece["type"] == 2]
    assert links[0].endswith(f"/{job.channel_id}/{job.result_message_id}")
    assert "Manage Messages" in texts(await desk.tom.click(line, label="Delete result"))
    assert any(message.id == job.result_message_id for message in desk.channel.history())
    assert "is deleted" in texts(await desk.admin.click(line, label="Delete result"))
    assert all(message.id != job.result_message_id for message in desk.channel.history())
    assert "already deleted" in texts(await desk.admin.click(line, label="Delete result"))


@pytest.mark.promise
async def test_a_log_channel_that_is_gone_is_no_place_and_the_owner_hears_of_it(desk: Desk) -> None:
    notice = await told(desk, NoticeKind.OUT_OF_CREDITS, reason="No credits.")
    assert isinstance(await post_notice(desk, notice, 404), NotHere)
    lost = await told(desk, NoticeKind.LOG_LOST, "404", channel=404)
    assert isinstance(await post_notice(desk, lost, None), Stands)
    sent = [call for call in desk.env.http_requests if call.path.endswith("/messages")][-1]
    assert "can't post in the log channel" in str(sent.json)
    assert "Harbour Street Studio" in str(sent.json)


@pytest.mark.promise
def test_a_lost_result_is_told_with_what_it_cost() -> None:
    shown = said(NoticeKind.RESULT_LOST, staging(state=JobState.SUCCEEDED, settled=8, reserved=0))
    assert "A result was lost after it was charged" in shown
    assert "<@300>" in shown
    assert "8 credits" in shown


DOUBT = {"masked": "stu_…cdef", "plan": "pro", "used": 20, "limit": 60, "lowered": 60}


def said(kind: NoticeKind, job: Job | None = None, **details: Any) -> str:
    return texts(
        notice_panel(a_post(100, kind, "1", NOON, details), CATALOG, job, None, hidden=False, called=())
    )


@pytest.mark.promise
@pytest.mark.parametrize(
    ("kind", "details", "words"),
    [
        (
            NoticeKind.BUDGET_80,
            {"spent": 81, "limit": 100, "period": "day", "renews": 1772496000},
            ["Most of the budget", "81 of 100 credits", "<t:1772496000:R>"],
        ),
        (
            NoticeKind.BUDGET_100,
            {"spent": 96, "limit": 100, "period": "total", "renews": None, "least": 8},
            ["too little", "96 of 100 credits", "No tool costs less than 8", "doesn't renew"],
        ),
        (
            NoticeKind.BUDGET_100,
            {"spent": 104, "limit": 100, "period": "week", "renews": 1772496000, "least": None},
            ["The budget is used up", "104 of 100 credits", "<t:1772496000:R>"],
        ),
        (
            NoticeKind.KEY_REFUSED,
            {"masked": "stu_…cdef", "reason": KeyRefused(detail="revoked @everyone").told.encode()},
            ["`stu_…cdef`", "revoked @\u200beveryone", "/studii setup"],
        ),
        (
            NoticeKind.PLAN_DOUBTED,
            {"masked": "stu_…cdef", "plan": "team", "limit": 300, "used": 61, "lowered": 60},
            [
                "`stu_…cdef`",
                "after 61 in a minute. The Team plan allows 300",
                "at most 60 a minute",
                "/studii setup",
            ],
        ),
        (
            NoticeKind.OUT_OF_CREDITS,
            {"reason": OutOfCredits(detail="Balance too low @everyone").told.encode()},
            ["“Balance too low @\u200beveryone”", "spend cap", "continue automatically"],
        ),
        (NoticeKind.BEST_LOST, {"channel": 5}, ["I can't post in the channel for the best", "<#5> was"]),
        (NoticeKind.LOG_LOST, {"channel": 5}, ["I can't post in the log channel any more", "<#5> was"]),
        (
            NoticeKind.KEY_REFUSED,
            {"masked": "stu_…cdef"},
            ["Studii refused this server's key `stu_…cdef`\n", "Jobs wait at no cost"],
        ),
        (
            NoticeKind.PLAN_DOUBTED,
            DOUBT,
            [
                "Studii allows fewer requests than your plan",
                "with the key `stu_…cdef` after 20 in a minute. The Pro plan allows 60. For now the bot "
                "sends them more slowly, and speeds up later. Nothing is lost.",
            ],
        ),
        (
            NoticeKind.PLAN_DOUBTED,
            DOUBT | {"lowered": 20},
            ["The Pro plan allows 60. For now the bot sends at most 20 a minute"],
        ),
        (
            NoticeKind.WORDS,
            {"tool": "studio", "channel": 5, "user": 6, "rule": "gun", "text": None},
            [
                "The word filter refused a request",
                "It isn't shown here, because it was asked for in an age-restricted channel.",
            ],
        ),
    ],
)
def test_a_warning_says_what_happened_and_what_to_do(
    kind: NoticeKind, details: dict[str, Any], words: list[str]
) -> None:
    shown = said(kind, **details)
    assert [shown.count(one) for one in words] == [1] * len(words)


@pytest.mark.promise
def test_what_was_made_privately_is_told_without_what_it_was() -> None:
    made = staging(state=JobState.SUCCEEDED, private=True, settled=8, reserved=0)
    shown = said(NoticeKind.MADE, made)
    assert "<@300> made a **Virtual staging**, shown only to them." in shown
    assert "modern" not in shown
    assert "Something was made." in said(NoticeKind.MADE)  # it was erased before this was posted


async def test_that_a_message_was_logged_is_forgotten_with_what_jobs_say(desk: Desk) -> None:
    await set_log(desk)
    for kind in (NoticeKind.MADE, NoticeKind.KEY_REFUSED):
        await desk.db.write(given(sent, await told(desk, kind), desk.clock.now()))
    asked = await told(desk, NoticeKind.MADE, "2")
    desk.clock.advance(91 * 86_400)
    await sweep(desk.resources)
    kept = await desk.db.read(lambda session: [(one.kind, one.key) for one in session.scalars(select(Post))])
    assert (NoticeKind.MADE, "1") not in kept
    assert {(NoticeKind.KEY_REFUSED, "1"), (asked.kind, asked.key)} <= set(kept)
