"""Requests on which moderators decide."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.catalog import Catalog
from bot.engine.posts import Told
from bot.jobs import queries, submission, transitions
from bot.jobs.models import Approval, Job, JobRequest, JobState, Progress, SourcePhoto
from bot.jobs.results import ForModerators
from bot.media.spool import OutputFile
from bot.posts import Post, Stands
from bot.reasons import Reason, ReasonCode
from bot.servers import access
from bot.servers.notices import DECIDED_BY, NoticeKind
from bot.servers.settings import Period
from bot.ui.admin import approvals as approvals_shown
from bot.ui.admin.approvals import approval_request, decided
from bot.ui.jobs.progress import progress_panel
from tests.reactions.taps import STAGING, jobs_of, post, ready
from tests.support import spending
from tests.support.database import given
from tests.support.desk import DONE, PNG, Desk, answer_of, open_listed, pieces, texts
from tests.support.jobs import staging
from tests.support.panels import CATALOG
from tests.support.posts import Posted, deliver, open_posts, placed, sent, tell_end
from tests.support.presses import hand_in
from tests.support.resources import cancel, erase
from tests.support.settings import add_style, change, limit_tool, opened
from tests.ui.admin.moderation.waiting import approvals, ask, asked, decline, moderator


def all_posts(session: Session) -> list[Post]:
    return list(session.scalars(select(Post)))


@pytest.mark.promise
async def test_of_two_moderators_the_second_learns_what_was_decided(desk: Desk) -> None:
    channel = await approvals(desk)
    request = await ask(desk, channel)
    first, second = moderator(desk), moderator(desk, "otto")
    form: Any = await second.click(request, label="Decline")
    await first.click(request, label="Approve")
    field = form.modal["components"][0]["component"]["custom_id"]
    late = await second.submit_modal(form, {field: ""})
    assert "That request was already approved." in texts(late)
    assert (await desk.job()).state is JobState.WAITING


async def test_a_result_that_was_posted_before_the_decision_was_shown_is_linked_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where Discord is slow to take the answer to the press, which then undoes the link."""
    request, answer = await ask(desk, await approvals(desk)), approvals_shown.answer_in_place

    async def late(*args: Any, **more: Any) -> None:
        done = await desk.move(await desk.job(), *DONE)
        await desk.change(done, announced_at=desk.clock.now(), result_message_id=77)
        await desk.db.write(shown)
        await answer(*args, **more)

    def shown(session: Session) -> None:
        for one in all_posts(session):
            one.due_at, one.message_id = None, request.id

    monkeypatch.setattr(approvals_shown, "answer_in_place", late)
    await moderator(desk).click(request, label="Approve")
    (decision,) = [one for one in await desk.db.read(all_posts) if one.kind == NoticeKind.APPROVAL]
    assert decision.due_at is not None


async def test_a_form_from_elsewhere_gives_a_moderator_of_another_channel_no_say(desk: Desk) -> None:
    await ask(desk, await approvals(desk))
    manages = discord.Permissions(manage_messages=True).value
    allowed = Overwrite(desk.tom.id, OverwriteType.MEMBER, allow=manages)
    desk.env.backend.edit_channel(desk.channel.id, {}, overwrites=[allowed])
    await desk.env.settle()
    declines = f"studii:decline:{(await desk.job()).id}-0"
    told = await hand_in(desk, desk.tom, declines, await desk.channel_message(declines))
    assert "Only members with Manage Messages" in texts(told)
    assert (await desk.job()).state is JobState.PENDING


@pytest.mark.promise
async def test_a_request_from_a_thread_whose_channel_the_bot_no_longer_sees_can_be_approved(
    desk: Desk,
) -> None:
    request = await ask(desk, await approvals(desk))
    guild: Any = desk.bot.get_guild(desk.guild.id)
    guild._channels.pop(desk.channel.id)
    thread: Any = {
        "id": desk.channel.id,
        "parent_id": 1,
        "owner_id": desk.maya.id,
        "name": "kites",
        "type": 11,
        "message_count": 1,
        "member_count": 1,
        "thread_metadata": {"archived": False, "auto_archive_duration": 60, "archive_timestamp": None},
    }
    guild._add_thread(discord.Thread(guild=guild, state=guild._state, data=thread))
    await moderator(desk).click(request, label="Approve")
    assert (await desk.job()).state is JobState.WAITING


@pytest.mark.promise
async def test_members_and_the_requester_can_not_decide(desk: Desk) -> None:
    channel = await approvals(desk)
    staff = moderator(desk, "staff")
    await staff.slash(desk.channel, "studio", prompt="A red kite")
    request = await asked(desk, channel)
    for label in ("Approve", "Decline"):
        assert "You can't decide on your own job." in texts(await staff.click(request, label=label))
        refused = await desk.tom.click(request, label=label)
        assert "Only members with Manage Messages can decide on that here." in texts(refused)
    approvers = desk.guild.create_role("Approvers")
    shown = await change(desk, "moderation approvals", "approver_role", approvers)
    assert f"**Who decides**: <@&{approvers.id}>\n" in shown
    refused = texts(await moderator(desk).click(request, label="Approve"))
    assert "Only the approvers' role can decide on that here." in refused
    allowed = desk.guild.add_member(desk.env.create_user("anna"), roles=[approvers])
    await allowed.click(request, label="Approve")
    assert (await desk.job()).state is JobState.WAITING


@pytest.mark.promise
async def test_a_requester_who_has_left_is_told_to_the_moderator_and_pays_nothing(desk: Desk) -> None:
    channel = await approvals(desk)
    request = await ask(desk, channel)
    desk.env.backend.remove_member(desk.guild.id, desk.maya.id)
    await desk.env.settle()
    await moderator(desk).click(request, label="Approve")
    assert f"<@{desk.maya.id}> has left the server" in texts(channel.history()[-1])
    job = await desk.job()
    assert (job.state, job.reserved) == (JobState.FAILED, 0)


@pytest.mark.promise
async def test_a_budget_that_was_lowered_meanwhile_is_told_and_the_request_stays(desk: Desk) -> None:
    channel = await approvals(desk)
    request = await ask(desk, channel)
    await spending.set_budget(desk.resources, desk.guild.id, 5, Period.DAY)
    ines = moderator(desk)
    refused = texts(await ines.click(request, label="Approve"))
    assert "the budget has been lowered since, and reserved credits exceed it by 3 credits" in refused
    assert (await desk.job()).state is JobState.PENDING
    await spending.set_budget(desk.resources, desk.guild.id, 100, Period.DAY)
    await ines.click(request, label="Approve")
    assert (await desk.job()).state is JobState.WAITING


FORBIDS: dict[str, Callable[[Desk], Awaitable[None]]] = {
    "block": lambda desk: desk.db.write(access.block, desk.guild.id, desk.maya.id, desk.clock.now()),
    "limit": lambda desk: desk.db.write(
        limit_tool, desk.guild.id, desk.bot.catalog.get("studio"), role_id=1, channel_id=None
    ),
    "forbid": lambda desk: desk.forbid("kite"),
}


@pytest.mark.promise
@pytest.mark.parametrize(
    ("change", "to_moderator", "to_member"),
    [
        ("block", "has been blocked since they asked", "you were blocked from using Studii"),
        ("limit", "The rules have changed since", "the rules changed and no longer allow it"),
        ("forbid", "The word filter has changed since", "the word filter changed and no longer allows it"),
    ],
)
async def test_what_is_not_allowed_any_more_when_it_is_approved_ends_unpaid(
    desk: Desk, change: str, to_moderator: str, to_member: str
) -> None:
    channel = await approvals(desk)
    request = await ask(desk, channel)
    await FORBIDS[change](desk)
    await moderator(desk).click(request, label="Approve")
    assert to_moderator in texts(channel.history()[-1])
    job = await desk.job()
    assert (job.state, job.reserved, job.settled) == (JobState.FAILED, 0, 0)
    told = texts(await desk.told(job))
    assert to_member in told
    assert "Not charged." in told


@pytest.mark.promise
async def test_a_decision_says_what_was_approved_by_whom_and_at_what_price(desk: Desk) -> None:
    channel = await approvals(desk)
    ines = moderator(desk)
    await ines.click(await ask(desk, channel), label="Approve")
    said = texts(channel.history()[-1])
    assert f"### ✅ Approved by <@{ines.id}>" in said
    assert "> ||A red kite" in said
    assert "8 credits reserved (estimate)" in said
    (post,) = [one for one in await desk.db.read(all_posts) if one.kind == NoticeKind.APPROVAL]
    assert post.details == {DECIDED_BY: ines.id}
    await erase(desk.resources, ines.id)  # of whom nothing is kept
    (post,) = await desk.db.read(open_posts)
    assert post.details == {}
    done = await desk.move(await desk.job(), *DONE, announced_at=desk.clock.now())
    await desk.db.write(given(sent, post, desk.clock.now(), channel.history()[-1].id))
    assert await desk.db.read(open_posts) == []
    await erase(desk.resources, desk.maya.id)
    (post,) = await desk.db.read(open_posts)
    erased = await desk.job()
    assert (erased.id, erased.inputs) == (done.id, {})
    place = placed(post, f"c{channel.id}", post.message_id)
    assert isinstance(await desk.delivery.edit(place, Told(erased, together=[erased])), Stands)
    assert "kite" not in texts(channel.history()[-1])


async def test_a_request_that_a_restored_backup_had_is_no_longer_asked_about(desk: Desk) -> None:
    await ask(desk, await approvals(desk))
    await desk.db.write(submission.doubt_waiting, desk.clock.now())
    assert (await desk.job()).state is JobState.UNKNOWN
    changed = [one.kind for one in await desk.db.read(all_posts) if one.due_at is not None]
    assert sorted(changed) == ["approval", "result", "unknown"]


@pytest.mark.promise
async def test_a_tap_waits_too_and_a_private_request_says_who_sees_it_until_it_is_decided_on(
    desk: Desk,
) -> None:
    await ready(desk)
    channel = await approvals(desk)
    await desk.tom.react(await post(desk, desk.maya, ("room.png", PNG)), STAGING)
    assert (await desk.job()).approval is Approval.WANTED
    before = await desk.move(await desk.job(), JobState.CANCELLED)
    question = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=True)
    assert "Although it's private, moderators here see this job" in texts(question)
    assert await desk.job() == before
    await desk.maya.click(answer_of(question), label="Run · about 8 credits")
    request = await asked(desk, channel)
    assert "It's private: only they get the result." in texts(request)
    assert "kite" in texts(request)
    assert "waiting for approval" in texts(await desk.maya.slash(desk.channel, "jobs"))
    await moderator(desk).click(request, label="Approve")
    assert "kite" not in texts(channel.history()[-1])  # once it is decided on, it isn't quoted


@pytest.mark.promise
async def test_roles_tools_and_word_rules_send_requests_to_approval(desk: Desk) -> None:
    early: dict[str, Any] = {"words": "blimp", "then": ["approve"]}
    refused = await change(desk, "moderation words", "rules", **early)
    assert "Set a channel for approvals first" in refused
    role = desk.guild.create_role("Newcomers")
    await approvals(desk, roles=[role.id])
    await change(desk, "moderation approvals", "tools", "virtual-staging")
    added = await change(desk, "moderation words", "rules", **early)
    assert "Requests with **blimp** wait for a moderator's approval from now on." in added
    new = desk.guild.add_member(desk.env.create_user("new"), roles=[role])
    for person, prompt in ((desk.maya, "A red kite"), (desk.maya, "A blimp"), (new, "A red kite")):
        await person.slash(desk.channel, "studio", prompt=prompt)
    await desk.maya.slash(desk.channel, "virtual-staging", image=("room.png", PNG))
    await desk.admin.slash(desk.channel, "studio", prompt="A red kite")
    assert [job.approval for job in await jobs_of(desk)] == [None, *[Approval.WANTED] * 3, None]
    removed = await change(desk, "moderation approvals", "roles", None)
    assert f"**Requests of members with these roles wait**: <@&{role.id}> removed." in removed
    assert "**Requests for these tools wait**: Virtual staging\n" in removed
    off = await change(desk, "moderation approvals", "approval_channel", None)
    assert "Nothing waits for approval." in off
    # Without a channel, what would have been sent there is refused.
    assert "word filter" in texts(await add_style(desk, name="Blimp", tool="studio", prompt="A blimp"))
    assert "word filter" in texts(await desk.maya.slash(desk.channel, "studio", prompt="A blimp"))


@pytest.mark.promise
async def test_a_channel_that_everyone_reads_is_warned_of(desk: Desk) -> None:
    await approvals(desk)
    said = texts(await opened(desk, "moderation approvals"))
    assert "Everyone can read that channel" in said
    bot = desk.env.bot.user
    assert bot is not None
    hidden, seen = (discord.PermissionOverwrite(view_channel=may) for may in (False, True))
    closed = desk.guild.create_text_channel(
        "moderators", overwrites={desk.guild.default_role: hidden, bot: seen, desk.admin: seen}
    )
    said = await change(desk, "moderation approvals", "approval_channel", closed)
    assert f"Requests are posted in <#{closed.id}>." in said
    assert "Everyone can read" not in said


@pytest.mark.promise
@pytest.mark.parametrize("permission", ["view_channel", "send_messages", "attach_files"])
async def test_a_channel_in_which_the_bot_can_not_post_is_refused(desk: Desk, permission: str) -> None:
    closed = desk.channel_for_the_bot("closed", **{permission: False})
    said = await change(desk, "moderation approvals", "approval_channel", closed)
    assert f"I can't post in {closed.mention}: I'm missing" in said
    assert "Set a channel first" in await change(desk, "moderation approvals", "approval_everyone")


async def a_set(desk: Desk, channel: ChannelHandle, folder: Path) -> tuple[list[Job], discord.Message]:
    """Ask for three photos at once, as the engine then asks moderators."""
    about = desk.guild.id, desk.channel.id, desk.maya.id, "virtual-staging", {"style": "modern"}
    photos = [
        SourcePhoto(f"https://cdn.example/room{n}.png", "room.png", "image/png", len(PNG)) for n in range(3)
    ]
    jobs = await desk.resources.acceptance.accept_all([JobRequest(*about, photo) for photo in photos])
    for job in jobs:
        await desk.db.write(transitions.make_ready, job.id, f"{job.id}.source.png", desk.clock.now())
    (notice,) = await desk.db.write(open_posts)
    pending = await desk.db.write(queries.of_set, notice.key)
    shown = ForModerators(tuple(pending), (in_spool(folder, "photo.png"),) * 3)
    said = await deliver(desk, notice, channel.id, pending[0], shown)
    assert isinstance(said, Stands)
    await desk.db.write(given(sent, notice, desk.clock.now()))
    return pending, channel.history()[-1]


@pytest.mark.promise
async def test_a_set_is_decided_on_as_a_whole_and_its_photos_are_behind_spoilers_until_then(
    desk: Desk, tmp_path: Path
) -> None:
    channel = await approvals(desk)
    _, request = await a_set(desk, channel, tmp_path)
    said = texts(request)
    assert "asks for **Virtual staging** with 3 photos" in said
    assert "Your decision counts for 3 photos." in said
    assert "reserved for all" in said
    (gallery,) = (piece for piece in pieces(request) if piece["type"] == 12)
    assert [item["spoiler"] for item in gallery["items"]] == [True] * 3
    await moderator(desk).click(request, label="Approve")
    decision = channel.history()[-1]
    assert "**Virtual staging** · 3 photos for" in texts(decision)
    assert [piece for piece in pieces(decision) if piece["type"] == 12] == []
    decided = [(job.state, job.approval) for job in await jobs_of(desk)]
    assert decided == [(JobState.WAITING, Approval.GIVEN)] * 3


@pytest.mark.promise
async def test_a_declined_set_ends_unpaid_as_a_whole_but_for_what_was_cancelled(
    desk: Desk,
    tmp_path: Path,
) -> None:
    channel = await approvals(desk)
    jobs, request = await a_set(desk, channel, tmp_path)
    # The button names the first, which its member has cancelled.
    await cancel(desk.resources, jobs[0].id, desk.guild.id, desk.maya.id)
    ines = moderator(desk)
    await decline(ines, request, "No")
    assert [(job.state, job.reserved) for job in await jobs_of(desk)] == [
        (JobState.CANCELLED, 0),
        (JobState.FAILED, 0),
        (JobState.FAILED, 0),
    ]
    shown = str(progress_panel(await jobs_of(desk), Catalog.load(), Progress()).to_components())
    assert "**1 cancelled · 2 not approved**" in shown
    assert "❌" not in shown
    again = await desk.channel_message(f"studii:approve:{jobs[1].id}-0")
    assert "That request has already ended" in texts(await ines.click(again, label="Press"))


# Results that wait for a moderator's decision before they are posted


def in_spool(folder: Path, name: str) -> OutputFile:
    """Put a picture into the spool."""
    path = folder / "spool" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(PNG)
    return OutputFile(path, "image", "image/png", len(PNG))


async def shown(desk: Desk, folder: Path, channel: ChannelHandle, job: Job | None = None) -> discord.Message:
    """Return the message with a result on which moderators decide, as the engine posts it once it is made."""
    if job is None:
        await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", PNG))
        job = await desk.job()
    assert job.result_approval is Approval.WANTED
    photo, result = (in_spool(folder, f"{job.id}.{what}.png") for what in ("source", "output"))
    await desk.db.write(transitions.make_ready, job.id, photo.path.name, desk.clock.now())
    for notice in await desk.db.write(open_posts):
        await desk.db.write(given(sent, notice, desk.clock.now()))
    await desk.move(await desk.job(), *DONE[:3], charged=8)
    waiting = await desk.db.write(transitions.succeed, job.id, result.path.name, "image", desk.clock.now())
    assert waiting is not None
    *_, notice = await desk.db.read(open_posts)
    assert notice.kind == NoticeKind.REVIEW
    files = ForModerators((waiting,), (photo,), result)
    assert isinstance(await deliver(desk, notice, channel.id, waiting, files), Stands)
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
