"""Results that wait for a moderator's decision before they are posted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle

from bot.jobs import transitions
from bot.jobs.models import Approval, Job, JobState, Progress
from bot.jobs.results import ForModerators
from bot.media.spool import OutputFile
from bot.posts import Stands
from bot.reasons import Reason, ReasonCode
from bot.servers.notices import NoticeKind
from bot.ui.admin.approvals import approval_request, decided
from bot.ui.jobs.progress import progress_panel
from tests.support.database import given
from tests.support.desk import PNG, Desk, answer_of, open_listed, pieces, texts
from tests.support.jobs import staging
from tests.support.panels import CATALOG
from tests.support.posts import Posted, deliver, open_posts, sent, tell_end
from tests.ui.admin.moderation.waiting import approvals, decline, moderator


def in_spool(folder: Path, name: str, data: bytes = PNG) -> OutputFile:
    """Put a file into the spool."""
    path = folder / "spool" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return OutputFile(path, "image", "image/png", len(data))


async def ask(desk: Desk, folder: Path, job: Job | None = None) -> tuple[Job, ForModerators]:
    """Do what the engine does with an approved request: its result waits."""
    if job is None:
        await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", PNG))
        job = await desk.job()
    assert job.result_approval is Approval.WANTED
    photo = in_spool(folder, f"{job.id}.source.png")
    result = in_spool(folder, f"{job.id}.output.png")
    await desk.db.write(transitions.make_ready, job.id, photo.path.name, desk.clock.now())
    for notice in await desk.db.write(open_posts):
        await desk.db.write(given(sent, notice, desk.clock.now()))
    job = await desk.move(
        await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, charged=8
    )
    waiting = await desk.db.write(transitions.succeed, job.id, result.path.name, "image", desk.clock.now())
    assert waiting is not None
    return waiting, ForModerators((waiting,), (photo,), result)


async def shown(desk: Desk, folder: Path, channel: ChannelHandle, job: Job | None = None) -> discord.Message:
    """Return the message with a result on which moderators decide."""
    job, files = await ask(desk, folder, job)
    *_, notice = await desk.db.read(open_posts)
    assert notice.kind == NoticeKind.REVIEW
    assert isinstance(await deliver(desk, notice, channel.id, job, files), Stands)
    return channel.history()[-1]


async def watched(desk: Desk) -> ChannelHandle:
    return await approvals(desk, approval_everyone=True, approval_results=True)


async def test_a_result_of_a_member_who_has_left_is_not_posted_and_the_moderator_is_told(
    desk: Desk,
    tmp_path: Path,
) -> None:
    channel = await watched(desk)
    message = await shown(desk, tmp_path, channel)
    desk.env.backend.remove_member(desk.guild.id, desk.maya.id)
    await desk.env.settle()
    await moderator(desk).click(message, label="Approve")
    assert f"<@{desk.maya.id}> has left the server, so the result isn't posted" in texts(
        channel.history()[-1]
    )
    job = await desk.job()
    assert (job.state, job.settled) == (JobState.WITHHELD, 8)


@pytest.mark.promise
async def test_who_asks_for_something_private_is_told_before_that_moderators_see_the_result(
    desk: Desk,
) -> None:
    channel = await watched(desk)
    question = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=True)
    assert "look at the result before you get it" in texts(question)
    await desk.maya.click(answer_of(question), label="Run · about 8 credits")
    job = await desk.job()
    assert (job.private, job.result_approval) == (True, Approval.WANTED)
    pair = progress_panel([replace(job, set_id="0" * 16)] * 2, desk.bot.catalog, Progress())
    assert "and the results before you get them" in texts(pair)
    assert channel.history() == []


@pytest.mark.promise
async def test_a_result_from_an_age_restricted_channel_is_not_shown_in_another(
    desk: Desk, tmp_path: Path
) -> None:
    channel = await watched(desk)
    desk.restrict_by_age(desk.channel)
    message = await shown(desk, tmp_path, channel)
    assert "because it was made in an age-restricted channel" in texts(message)
    assert [piece for piece in pieces(message) if piece["type"] == 12] == []
    await decline(moderator(desk), message)
    button = await desk.channel_message(f"studii:see-result:{(await desk.job()).id}-0", channel.id)
    seen = await moderator(desk, "otto").click(button, label="Press")  # as from a list of jobs there
    assert "That was made in an age-restricted channel" in texts(seen)


@pytest.mark.promise
async def test_moderators_find_a_declined_result_in_their_jobs_and_may_release_it(
    desk: Desk, tmp_path: Path
) -> None:
    channel = await watched(desk)
    await decline(moderator(desk), await shown(desk, tmp_path, channel))
    job = await desk.job()
    otto = moderator(desk, "otto")
    jobs = await otto.slash(desk.channel, "jobs")
    await otto.click(answer_of(jobs), label="Results not posted")
    assert f"<@{desk.maya.id}> in <#{desk.channel.id}>" in texts(jobs)
    # Only states in which a result isn't posted can be chosen.
    assert "Waiting for a moderator" in str(pieces(jobs))
    assert "Outcome unknown" not in str(pieces(jobs))
    await open_listed(otto, jobs)
    seen = await otto.click(answer_of(jobs), label="See result")
    assert "A result that isn't posted" in texts(seen)
    assert "A moderator declined the result." in texts(seen)
    assert len(answer_of(seen).attachments) == 2
    # Who presses wants to see it, and sees it alone.
    (gallery,) = (piece for piece in pieces(seen) if piece["type"] == 12)
    assert [item["spoiler"] for item in gallery["items"]] == [False, False]
    # Neither members nor its requester get there.
    for person in (desk.maya, desk.tom):
        mine = await person.slash(desk.channel, "jobs")
        assert "Results not posted" not in str(pieces(mine))
        button = await desk.channel_message(f"studii:see-result:{job.id}-0")
        assert "can" in texts(await person.click(button, label="Press"))
    # Nor does who moderates another channel.
    own = desk.guild.create_text_channel(
        "toms", overwrites={desk.tom: discord.PermissionOverwrite(manage_messages=True)}
    )
    assert "Results not posted" not in str(pieces(await desk.tom.slash(own, "jobs")))
    stale = await desk.channel_message("studii:jobs:unposted:0", own.id)
    assert "Only members who decide on results" in texts(await desk.tom.click(stale, label="Press"))
    await otto.click(answer_of(seen), label="Post it after all")
    job = await desk.job()
    assert (job.state, job.posting) == (JobState.SUCCEEDED, 1)
    again = await desk.channel_message(f"studii:release-result:{job.id}-0")
    assert "already approved" in texts(await otto.click(again, label="Press"))


@pytest.mark.promise
async def test_a_private_result_reaches_its_person_alone_when_it_is_approved(
    desk: Desk, tmp_path: Path
) -> None:
    channel = await watched(desk)
    question = await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", PNG), private=True)
    before = len(desk.channel.history())
    await desk.maya.click(answer_of(question), label="Run · about 8 credits")
    message = await shown(desk, tmp_path, channel, await desk.job())
    assert "It's private: only they get it." in texts(message)
    desk.clock.advance(20 * 60)  # the command's answer can't be changed any more
    await moderator(desk).click(message, label="Approve")
    job = await desk.job()
    assert job.output_file is not None
    said = await tell_end(desk.delivery, job, in_spool(tmp_path, job.output_file))
    assert said == Posted(None, by_dm=True)
    assert len(desk.channel.history()) == before


IN_VAIN = Reason(ReasonCode.NOT_APPROVED)


@pytest.mark.promise
def test_a_request_of_an_age_restricted_channel_is_not_shown_in_another() -> None:
    asked = ForModerators((staging(state=JobState.PENDING),), photos=())
    shown, hidden = (texts(approval_request(asked, CATALOG, (), hidden=one)) for one in (False, True))
    assert "The request isn't shown here, because it comes from an age-restricted channel." in hidden
    assert ("modern" in shown, "modern" in hidden) == (True, False)


@pytest.mark.parametrize(
    ("changes", "result", "said"),
    [
        ({"state": JobState.FAILED, "failure_text": IN_VAIN}, False, "⌛ No one decided"),
        ({"state": JobState.WAITING, "approval": Approval.GIVEN}, False, "✅ This request was approved"),
        (
            {"state": JobState.SUCCEEDED, "result_approval": Approval.GIVEN},
            True,
            "✅ This result was approved",
        ),
        ({"state": JobState.WITHHELD}, True, "🚫 This result isn't posted"),
        ({"state": JobState.CANCELLED}, False, "🚫 This request was cancelled"),
        ({"state": JobState.FAILED}, False, "🚫 This request has ended"),
    ],
)
def test_a_question_that_ended_without_a_button_says_how(
    changes: dict[str, Any], result: bool, said: str
) -> None:
    assert said in texts(decided([staging(**changes)], CATALOG, result=result))
