"""/studii approval, and the requests on which moderators decide."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle, MemberActor

from bot.catalog import Catalog
from bot.domain import (
    ForModerators,
    Job,
    JobRequest,
    JobState,
    NoticeKind,
    OutputFile,
    Period,
    Posted,
    Progress,
    SourcePhoto,
)
from bot.domain.approvals import Approval
from bot.lifecycle.transitions import make_ready
from bot.reasons import Reason, ReasonCode
from bot.storage import Changes
from bot.ui.jobs.sets.card import set_card
from bot.ui.jobs.wording import ToolNames
from tests.reactions.taps import STAGING, jobs_of, post, ready
from tests.support.desk import PNG, Desk, labelled, open_desk, pieces, texts
from tests.support.pseudo.boundary import shown_by


async def approvals(desk: Desk, **options: Any) -> ChannelHandle:
    """Turn approvals on; everyone's requests wait unless `options` say otherwise."""
    await desk.set_key()
    channel = desk.guild.create_text_channel("requests")
    options = options or {"everyone": True}
    shown = await desk.admin.slash(desk.channel, "studii approval", channel=channel, **options)
    assert f"Requests are posted in <#{channel.id}>." in texts(shown)
    return channel


def moderator(desk: Desk, name: str = "ines") -> MemberActor:
    permissions = discord.Permissions(manage_messages=True)
    role = desk.guild.create_role(f"Moderators {name}", permissions=permissions)
    return desk.guild.add_member(desk.env.create_user(name), roles=[role])


async def asked(desk: Desk, channel: ChannelHandle, *photos: OutputFile) -> discord.Message:
    """Do what the engine does: the job waits for approval, and its request is posted."""
    job = await desk.job()
    async with desk.storage.write() as transaction:
        pending = await make_ready(transaction, job, None, desk.clock.now())
    assert pending is not None
    assert pending.state is JobState.PENDING
    async with desk.storage.read() as transaction:
        (notice,) = await transaction.notices.pending(10)
    assert notice.kind is NoticeKind.APPROVAL
    rules = await desk.services.words.rules(desk.guild.id)
    shown = ForModerators((pending,), photos, rules=rules)
    assert isinstance(await desk.delivery.post_notice(notice, channel.id, pending, shown), Posted)
    async with desk.storage.write() as transaction:
        await transaction.notices.close(notice.id, desk.clock.now())
    return channel.history()[-1]


async def ask(desk: Desk, channel: ChannelHandle, **options: Any) -> discord.Message:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite @everyone", **options)
    return await asked(desk, channel)


async def test_a_request_waits_with_its_credits_reserved_until_a_moderator_approves(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        request = await ask(desk, channel)
        shown = texts(request)
        assert f"<@{desk.maya.id}> asks for **Studio** in <#{desk.channel.id}>." in shown
        assert "> ||A red kite @\u200beveryone||" in shown
        assert "8 credits reserved" in shown
        job = await desk.job()
        assert (job.state, job.reserved) == (JobState.PENDING, 8)
        desk.clock.advance(10)
        await desk.delivery.show_card(job, Progress())
        card = next(one for one in desk.channel.history() if one.id == job.card_message_id)
        assert "Waiting for a moderator to approve it." in texts(card)
        ines = moderator(desk)
        told = list[Changes]()
        with desk.storage.listening(told.append):
            await ines.click(request, label="Approve")
        assert f"Approved by <@{ines.id}>" in texts(channel.history()[-1])
        assert "kite" not in texts(channel.history()[-1])
        job = await desk.job()
        assert (job.state, job.approval, job.reserved) == (JobState.WAITING, Approval.GIVEN, 8)
        assert any(changes.jobs.get(job.id) for changes in told)


async def test_a_declined_request_ends_unpaid_with_the_moderators_reason(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        request = await ask(desk, channel)
        ines = moderator(desk)
        form: Any = await ines.click(request, label="Decline")
        field = form.modal["components"][0]["component"]["custom_id"]
        await ines.submit_modal(form, {field: "No  kites, <@&1>"})
        assert f"Declined by <@{ines.id}>: No kites" in texts(channel.history()[-1])
        job = await desk.job()
        assert (job.state, job.reserved, job.settled) == (JobState.FAILED, 0, 0)
        await desk.delivery.announce(job, None)
        told = texts(desk.channel.history()[-1])
        assert f"🚫 <@{desk.maya.id}>, your **Studio** request wasn't approved." in told
        assert "A moderator declined this: “No kites, " in told
        assert "Not charged." in told
        assert "failed" not in told
        assert labelled(desk.channel.history()[-1], "Edit")
        listed = texts(await desk.maya.slash(desk.channel, "jobs"))
        assert "· not approved · not charged ·" in listed


async def test_a_request_may_be_declined_without_a_reason(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        request = await ask(desk, channel)
        ines = moderator(desk)
        form: Any = await ines.click(request, label="Decline")
        field = form.modal["components"][0]["component"]["custom_id"]
        await ines.submit_modal(form, {field: " "})
        assert f"### 🚫 Declined by <@{ines.id}>\n" in texts(channel.history()[-1])
        job = await desk.job()
        assert (job.state, job.failure_text) == (JobState.FAILED, Reason(ReasonCode.DECLINED))


async def test_of_two_moderators_the_second_learns_what_was_decided(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        request = await ask(desk, channel)
        first, second = moderator(desk), moderator(desk, "otto")
        form: Any = await second.click(request, label="Decline")
        await first.click(request, label="Approve")
        field = form.modal["components"][0]["component"]["custom_id"]
        late = await second.submit_modal(form, {field: ""})
        assert "That request was already approved." in texts(late)
        assert (await desk.job()).state is JobState.WAITING


async def test_a_request_that_its_member_has_cancelled_is_over(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        request = await ask(desk, channel)
        job = await desk.job()
        await desk.services.jobs.cancel(job.id, desk.guild.id, desk.maya.id)
        late = await moderator(desk).click(request, label="Approve")
        assert "That request has already ended" in texts(late)
        assert (await desk.job()).reserved == 0


async def test_members_and_the_requester_can_not_decide(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        role = desk.guild.create_role("Staff", permissions=discord.Permissions(manage_messages=True))
        staff = desk.guild.add_member(desk.env.create_user("staff"), roles=[role])
        await staff.slash(desk.channel, "studio", prompt="A red kite")
        request = await asked(desk, channel)
        for label in ("Approve", "Decline"):
            assert "You can't decide on your own job." in texts(await staff.click(request, label=label))
            refused = texts(await desk.tom.click(request, label=label))
            assert "Only members with Manage Messages can decide on that here." in refused
        approvers = desk.guild.create_role("Approvers")
        shown = await desk.admin.slash(desk.channel, "studii approval", approver=approvers)
        assert f"Members with <@&{approvers.id}> or Manage Server decide." in texts(shown)
        refused = texts(await moderator(desk).click(request, label="Approve"))
        assert "Only the approvers' role can decide on that here." in refused
        allowed = desk.guild.add_member(desk.env.create_user("anna"), roles=[approvers])
        await allowed.click(request, label="Approve")
        assert (await desk.job()).state is JobState.WAITING


async def test_a_requester_who_has_left_is_told_to_the_moderator_and_pays_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        request = await ask(desk, channel)
        desk.env.backend.remove_member(desk.guild.id, desk.maya.id)
        await desk.env.settle()
        await moderator(desk).click(request, label="Approve")
        assert f"<@{desk.maya.id}> has left the server" in texts(channel.history()[-1])
        job = await desk.job()
        assert (job.state, job.reserved) == (JobState.FAILED, 0)


async def test_a_budget_that_was_lowered_meanwhile_is_told_and_the_request_stays(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        request = await ask(desk, channel)
        await desk.services.credits.set_budget(desk.guild.id, 5, Period.DAY)
        ines = moderator(desk)
        refused = texts(await ines.click(request, label="Approve"))
        assert "the budget has been lowered since, and reserved credits exceed it by 3 credits" in refused
        assert (await desk.job()).state is JobState.PENDING
        await desk.services.credits.set_budget(desk.guild.id, 100, Period.DAY)
        await ines.click(request, label="Approve")
        assert (await desk.job()).state is JobState.WAITING


async def _block(desk: Desk) -> None:
    async with desk.services.access.change(desk.guild.id) as change:
        await change.block(desk.maya.id)


async def _limit(desk: Desk) -> None:
    async with desk.services.access.change(desk.guild.id) as change:
        await change.limit_tool("studio", role_id=desk.guild.create_role("Artists").id)


async def _forbid(desk: Desk) -> None:
    await desk.services.words.add(desk.guild.id, "kite")


@pytest.mark.parametrize(
    ("change", "to_moderator", "to_member"),
    [
        (_block, "has been blocked since they asked", "you were blocked from using Studii"),
        (_limit, "The rules have changed since", "the rules changed and no longer allow it"),
        (_forbid, "A word rule added since", "a word rule was added that doesn't allow it"),
    ],
)
async def test_what_is_not_allowed_any_more_when_it_is_approved_ends_unpaid(
    tmp_path: Path, change: Callable[[Desk], Awaitable[None]], to_moderator: str, to_member: str
) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        request = await ask(desk, channel)
        await change(desk)
        await moderator(desk).click(request, label="Approve")
        assert to_moderator in texts(channel.history()[-1])
        job = await desk.job()
        assert (job.state, job.reserved, job.settled) == (JobState.FAILED, 0, 0)
        await desk.delivery.announce(job, None)
        told = texts(desk.channel.history()[-1])
        assert to_member in told
        assert "Not charged." in told


async def test_the_photo_is_shown_behind_a_spoiler_and_goes_with_the_decision(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", PNG))
        kept = tmp_path / "photo.png"
        kept.write_bytes(PNG)
        request = await asked(desk, channel, OutputFile(kept, "image", "image/png", len(PNG)))
        (gallery,) = (piece for piece in pieces(request) if piece["type"] == 12)
        assert gallery["items"][0]["spoiler"] is True
        await moderator(desk).click(request, label="Approve")
        assert [piece for piece in pieces(channel.history()[-1]) if piece["type"] == 12] == []


async def test_roles_tools_and_word_rules_send_requests_to_approval(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        early = {"words": "blimp", "then": "approve"}
        refused = texts(await desk.admin.slash(desk.channel, "studii words add", **early))
        assert "Set a channel for approvals first" in refused
        role = desk.guild.create_role("Newcomers")
        await approvals(desk, role=role)
        await desk.admin.slash(desk.channel, "studii approval", tool="virtual-staging")
        added = texts(await desk.admin.slash(desk.channel, "studii words add", **early))
        assert "Requests with ||blimp|| wait for a moderator's approval from now on." in added
        new = desk.guild.add_member(desk.env.create_user("new"), roles=[role])
        wanted: list[Job] = []
        for person, prompt in ((desk.maya, "A red kite"), (desk.maya, "A blimp"), (new, "A red kite")):
            await person.slash(desk.channel, "studio", prompt=prompt)
            wanted.append(await desk.job())
        await desk.maya.slash(desk.channel, "virtual-staging", image=("room.png", PNG))
        await desk.admin.slash(desk.channel, "studio", prompt="A red kite")
        all_jobs = await jobs_of(desk)
        assert [job.approval for job in all_jobs] == [None, *[Approval.WANTED] * 3, None]
        removed = await desk.admin.slash(desk.channel, "studii approval", role=role, remove=True)
        assert "Requests for Virtual staging wait." in texts(removed)
        assert "Newcomers" not in texts(removed)
        again = await desk.admin.slash(desk.channel, "studii approval", role=role, remove=True)
        assert "That role or tool isn't on the list." in texts(again)
        off = await desk.admin.slash(desk.channel, "studii approval", off=True)
        assert "Approval is off" in texts(off)
        # Without a channel, what would have been sent there is refused.
        assert "A word rule" in texts(await desk.maya.slash(desk.channel, "studio", prompt="A blimp"))


async def test_moderators_read_which_word_rule_sends_a_request_to_them(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        await desk.admin.slash(desk.channel, "studii words add", words="kit*", then="approve")
        # What the catalogue sends on its own meets no rule.
        await desk.admin.slash(desk.channel, "studii words add", words="standard", then="approve")
        assert "Word rule: ||kit\\*||" in texts(await ask(desk, channel))
        await desk.tom.slash(desk.channel, "studio", prompt="A red boat")
        assert "Word rule" not in texts(await asked(desk, channel))


async def test_a_tap_waits_too_and_the_requester_of_a_private_job_is_told_who_sees_it(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        channel = await approvals(desk)
        await desk.tom.react(await post(desk, desk.maya, ("room.png", PNG)), STAGING)
        assert (await desk.job()).approval is Approval.WANTED
        async with desk.storage.write() as transaction:
            await transaction.jobs.advance(
                (await desk.job()).id, JobState.RECEIVED, JobState.CANCELLED, at=desk.clock.now()
            )
        before = await desk.job()
        question = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=True)
        assert "Although it's private, moderators here see this job" in texts(question)
        assert await desk.job() == before
        assert question.response is not None
        await desk.maya.click(question.response, label="Run · about 8 credits")
        assert "It's private: only they get the result." in texts(await asked(desk, channel))
        shown = await desk.maya.slash(desk.channel, "jobs")
        assert "waiting for approval" in texts(shown)


async def a_set(desk: Desk, channel: ChannelHandle, folder: Path) -> tuple[list[Job], discord.Message]:
    """Ask for three photos at once, as the engine then asks moderators."""
    source = SourcePhoto("https://cdn.example/room.png", "room.png", "image/png", len(PNG))
    request = JobRequest(
        desk.guild.id, desk.channel.id, desk.maya.id, "virtual-staging", {"style": "modern"}, source
    )
    jobs = await desk.services.jobs.accept_all([request] * 3)
    async with desk.storage.write() as transaction:
        for job in jobs:
            assert await make_ready(transaction, job, f"{job.id}.source.png", desk.clock.now()) is not None
        (notice,) = await transaction.notices.pending(10)
        pending = await transaction.jobs.of_set(notice.key)
    kept = folder / "photo.png"
    kept.write_bytes(PNG)
    photos = (OutputFile(kept, "image", "image/png", len(PNG)),) * 3
    said = await desk.delivery.post_notice(
        notice, channel.id, pending[0], ForModerators(tuple(pending), photos)
    )
    assert isinstance(said, Posted)
    async with desk.storage.write() as transaction:
        await transaction.notices.close(notice.id, desk.clock.now())
    return pending, channel.history()[-1]


async def test_a_set_is_decided_on_as_a_whole_with_its_whole_price(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        _, request = await a_set(desk, channel, tmp_path)
        said = texts(request)
        assert "asks for **Virtual staging** with 3 photos" in said
        assert "Your decision counts for all 3 photos." in said
        assert "reserved for all" in said
        (gallery,) = (piece for piece in pieces(request) if piece["type"] == 12)
        assert [item["spoiler"] for item in gallery["items"]] == [True] * 3
        await moderator(desk).click(request, label="Approve")
        assert "**Virtual staging** · 3 photos for" in texts(channel.history()[-1])
        assert [job.state for job in await jobs_of(desk)] == [JobState.WAITING] * 3
        assert [job.approval for job in await jobs_of(desk)] == [Approval.GIVEN] * 3


async def test_a_declined_set_ends_unpaid_as_a_whole_but_for_what_was_cancelled(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        channel = await approvals(desk)
        jobs, request = await a_set(desk, channel, tmp_path)
        # The button names the first, which its member has cancelled.
        await desk.services.jobs.cancel(jobs[0].id, desk.guild.id, desk.maya.id)
        ines = moderator(desk)
        form: Any = await ines.click(request, label="Decline")
        field = form.modal["components"][0]["component"]["custom_id"]
        await ines.submit_modal(form, {field: "No"})
        states = [job.state for job in await jobs_of(desk)]
        assert states == [JobState.CANCELLED, JobState.FAILED, JobState.FAILED]
        assert [job.reserved for job in await jobs_of(desk)] == [0, 0, 0]
        card = str(shown_by(set_card(await jobs_of(desk), ToolNames(Catalog.load()))))
        assert "**1 cancelled · 2 not approved**" in card
        assert "❌" not in card
        again = await desk.channel_message(f"studii:approve:{jobs[1].id}-0")
        assert "That request has already ended" in texts(await ines.click(again, label="Press"))


async def test_a_channel_that_everyone_reads_is_warned_of(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await approvals(desk)
        said = texts(await desk.admin.slash(desk.channel, "studii approval"))
        assert "Everyone can read that channel" in said
        bot = desk.env.bot.user
        assert bot is not None
        closed = desk.guild.create_text_channel(
            "moderators",
            overwrites={
                desk.guild.default_role: discord.PermissionOverwrite(view_channel=False),
                bot: discord.PermissionOverwrite(view_channel=True),
                desk.admin: discord.PermissionOverwrite(view_channel=True),
            },
        )
        said = texts(await desk.admin.slash(desk.channel, "studii approval", channel=closed))
        assert f"Requests are posted in <#{closed.id}>." in said
        assert "Everyone can read" not in said


@pytest.mark.parametrize("permission", ["view_channel", "send_messages", "attach_files"])
async def test_a_channel_in_which_the_bot_can_not_post_is_refused(tmp_path: Path, permission: str) -> None:
    async with open_desk(tmp_path) as desk:
        closed = desk.channel_for_the_bot("closed", **{permission: False})
        said = texts(await desk.admin.slash(desk.channel, "studii approval", channel=closed))
        assert "I can't post in #closed: I'm missing" in said
        assert "Set a channel first" in texts(
            await desk.admin.slash(desk.channel, "studii approval", everyone=True)
        )
