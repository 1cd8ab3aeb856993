"""/jobs says what each job was: its prompt, its picture, for admins who and where; and it can be filtered."""

from datetime import timedelta
from pathlib import Path
from typing import get_args

import discord
import pytest
from simcord import ChannelHandle, InteractionResult, MemberActor

from bot.features import styles
from bot.jobs import queries
from bot.jobs.models import FailureCode, Job, JobState
from bot.jobs.submission import tell_unknown
from bot.jobs.thumbnails import of as of_jobs
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.ui.admin.approvals import How
from bot.ui.panels.controls import _controls  # pyright: ignore[reportPrivateUsage]
from tests.support.database import given
from tests.support.desk import (
    DONE,
    Desk,
    answer_of,
    labels,
    make_bot,
    open_listed,
    pieces,
    press_in,
    press_more,
    texts,
)
from tests.support.jobs import held
from tests.support.posts import deliver, open_posts
from tests.support.presses import press
from tests.ui.admin.moderation.waiting import approvals
from tests.ui.jobs.results import posted, thumbnails, with_thumbnail


async def choose(who: MemberActor, shown: InteractionResult, by: str, value: str) -> None:
    beginning = f"studii:jobsby:{by}:"
    (select,) = (one for one in pieces(shown) if str(one.get("custom_id")).startswith(beginning))
    await who.select(answer_of(shown), [value], custom_id=select["custom_id"])


@pytest.mark.promise
async def test_each_job_has_its_prompt_and_picture_and_is_opened_with_what_can_be_done(
    desk: Desk,
    tmp_path: Path,
) -> None:
    await posted(desk, tmp_path, desk.channel, "A red kite over the harbour of a small town at dawn")
    await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    desk.clock.advance(60)
    await desk.maya.slash(desk.channel, "studio", prompt="A **green** kite")
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert "> A red kite over the harbour" in texts(shown)
    (picture,) = thumbnails(shown)
    assert "/attachments/" in picture
    assert labels(shown) == ["Refresh"]
    await open_listed(desk.maya, shown, 2)
    assert "> A red kite over the harbour of a small town at dawn" in texts(shown)
    assert "mode **image**" in texts(shown)
    assert labels(shown) == ["Run again · 8 credits", "Edit", "Full size", "Back"]
    full = await press_in(desk.maya, shown, "Full size")
    assert "[Open the picture](<https://cdn" in texts(full)
    await press_in(desk.maya, shown, "Back")
    await open_listed(desk.maya, shown, 1)
    assert labels(shown) == ["Run again · about 8 credits", "Back"]
    await press_in(desk.maya, shown, "Back")
    await open_listed(desk.maya, shown)
    assert labels(shown) == ["Cancel job", "Back"]
    # What has gone by the time of the press is said above the list as it is then.
    await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    told = await press_in(desk.maya, shown, "Cancel job")
    assert not told.followups
    assert "⚠️ That job has already ended" in texts(shown)
    await open_listed(desk.maya, shown)
    assert labels(shown) == ["Run again · about 8 credits", "Back"]
    await press_in(desk.maya, shown, "Back")

    await choose(desk.maya, shown, "state", "done")
    assert ("red kite" in texts(shown), "blue kite" in texts(shown)) == (True, False)
    await choose(desk.maya, shown, "tool", "photo-restore")
    assert "There are no such jobs." in texts(shown)
    await choose(desk.maya, shown, "state", "any")
    await choose(desk.maya, shown, "tool", "studio")
    assert ("red kite" in texts(shown), "blue kite" in texts(shown)) == (True, True)


@pytest.mark.promise
async def test_a_cancelled_job_is_named_and_a_deleted_result_has_neither_link_nor_picture(
    desk: Desk,
    tmp_path: Path,
) -> None:
    await with_thumbnail(desk, await posted(desk, tmp_path, desk.channel, "A red kite"))
    result = desk.channel.history()[-1]
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert f"[Studio]({result.jump_url}) · done · 8 credits" in texts(shown)
    await result.delete()
    await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert not thumbnails(shown)
    assert "Studio · deleted · 8 credits" in texts(shown)
    await open_listed(desk.maya, shown, 1)
    assert labels(shown) == ["Run again · 8 credits", "Back"]
    assert not [piece for piece in pieces(shown) if piece["type"] == 12]
    assert "](https" not in texts(shown)
    await press_in(desk.maya, shown, "Back")
    await open_listed(desk.maya, shown)
    await press_in(desk.maya, shown, "Cancel job")
    assert "✅ Cancelled: **Studio “A blue kite”**. Not charged." in texts(shown)


@pytest.mark.promise
async def test_admins_see_who_and_where_and_prompts_that_they_may_see_alone(
    desk: Desk, tmp_path: Path
) -> None:
    bot = desk.env.bot.user
    assert bot is not None
    unseen, seen = (discord.PermissionOverwrite(view_channel=may) for may in (False, True))
    hidden = desk.guild.create_text_channel(
        "hidden", overwrites={desk.guild.default_role: unseen, desk.maya: seen, bot: seen}
    )
    await desk.env.settle()
    await posted(desk, tmp_path, desk.channel, "A red kite")
    await posted(desk, tmp_path, hidden, "A secret kite")
    await desk.maya.slash(desk.channel, "studio", prompt="A private kite", private=True)
    await with_thumbnail(desk, await desk.job())
    shown = await desk.admin.slash(desk.channel, "jobs")
    await press_in(desk.admin, shown, "Server jobs")
    said = texts(shown)
    assert f"<@{desk.maya.id}> in <#{desk.channel.id}>" in said
    assert f"<@{desk.maya.id}> in <#{hidden.id}>" in said
    assert "> A red kite" in said
    assert "secret" not in said
    assert "A private kite" not in said
    assert f"<@{desk.maya.id}> in <#{desk.channel.id}> · private" in said
    assert len(thumbnails(shown)) == 1
    # A private job's admin doesn't see what it is, but can end it.
    await open_listed(desk.admin, shown)
    assert labels(shown) == ["Cancel job", "Back"]
    assert "kite" not in texts(shown)
    await press_in(desk.admin, shown, "Cancel job")
    assert "✅ Cancelled: **Studio**. Not charged." in texts(shown)
    own = await desk.maya.slash(desk.channel, "jobs")
    assert "> A secret kite" in texts(own)
    assert len(thumbnails(own)) == 2


@pytest.mark.promise
async def test_nothing_of_an_age_restricted_channel_is_shown_in_the_list_elsewhere(
    desk: Desk, tmp_path: Path
) -> None:
    adults = await desk.age_restricted_channel()
    await posted(desk, tmp_path, adults, "A red kite")
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert "done · 8 credits" in texts(shown)
    assert "A red kite" not in texts(shown)
    assert not thumbnails(shown)
    there = await desk.maya.slash(adults, "jobs")
    assert "> A red kite" in texts(there)
    assert thumbnails(there)


async def test_a_full_page_of_an_admins_list_fits_into_a_message(desk: Desk, tmp_path: Path) -> None:
    for number in range(19):
        job = await posted(desk, tmp_path, desk.channel, f"{number}" + "*" * 900)
        await desk.change(job, settled=0)  # which leaves room in the budget
        await with_thumbnail(desk, job)
    await approvals(desk, approval_everyone=True, approval_results=True)
    shown = await desk.admin.slash(desk.channel, "jobs")
    await press_in(desk.admin, shown, "Server jobs")
    assert labels(shown) == ["Older", "Refresh", "My jobs", "Results not posted"]
    await press_in(desk.admin, shown, "Older")
    assert labels(shown) == ["Newer", "Older", "My jobs", "Results not posted"]
    assert len(thumbnails(shown)) == 9
    assert len(pieces(shown)) == 40
    assert len(texts(shown)) < 3_600


@pytest.mark.promise
async def test_small_pictures_come_with_the_page_and_go_with_what_is_deleted(
    desk: Desk, tmp_path: Path
) -> None:
    private = await posted(desk, tmp_path, desk.channel, "A private kite")
    await desk.change(private, private=True)
    kept = await posted(desk, tmp_path, desk.channel, "A red kite")
    other = await posted(desk, tmp_path, desk.channel, "A blue kite")
    for job in (private, kept, other):
        await with_thumbnail(desk, job)
    result = desk.channel.history()[-1]
    desk.env.inject_error("GET", "/channels/*/messages/*", status=503, times=None)
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert [url.rpartition("/")[2].partition("?")[0] for url in thumbnails(shown)] == [
        f"{job.id}.webp" for job in (other, kept, private)
    ]
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    for _again in range(2):  # as a click that is repeated
        assert not (await open_listed(desk.maya, shown)).followups
        assert "> A blue kite" in texts(shown)
        assert len(answer_of(shown).attachments) == 1
        await press_in(desk.maya, shown, "Back")
        assert len(answer_of(shown).attachments) == 3
    opens = "studii:jobsopen:mine:0:any:any"
    told = await press(desk, desk.tom, answer_of(shown), opens, chosen=kept.id)
    assert "no such job here" in texts(told)
    await press_more(desk.maya, result, "Delete", "Delete")
    assert set(await desk.db.read(of_jobs, [kept.id, other.id])) == {kept.id}
    assert len(thumbnails(await desk.maya.slash(desk.channel, "jobs"))) == 2
    shown = await desk.admin.slash(desk.channel, "jobs")
    await press_in(desk.admin, shown, "Server jobs")
    assert len(thumbnails(shown)) == 1
    await open_listed(desk.admin, shown, 2)
    assert not answer_of(shown).attachments
    await desk.text_channel().get_partial_message(kept.result_message_id or 0).delete()
    await desk.env.settle()
    assert set(await desk.db.read(of_jobs, [kept.id, private.id])) == {private.id}


# The buttons under a warning: they work once, and for admins alone


@pytest.mark.promise
async def test_try_again_is_for_admins_alone(desk: Desk) -> None:
    key = await desk.resources.db.read(keys.current, desk.guild.id)
    assert key is not None
    until = desk.clock.now() + timedelta(minutes=30)
    await desk.db.write(held, desk.guild.id, key.id, Reason(ReasonCode.OUT_OF_CREDITS), until)
    again = await desk.channel_message(f"studii:tryagain:{desk.guild.id}")
    answer = await desk.maya.click(again, label="Press")
    assert "You need the Manage Server permission" in texts(answer)
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert "Studii has no credits left for this." in texts(refused)


async def lost(desk: Desk, *, private: bool = False) -> Job:
    """A job of Maya's with an unknown outcome."""
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=private)
    return await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)


async def test_a_charge_that_is_no_number_settles_nothing(desk: Desk) -> None:
    job = await lost(desk)
    await desk.db.write(given(tell_unknown, job, desk.clock.now()))
    (notice,) = await desk.db.write(open_posts)
    await deliver(desk, notice, desk.channel.id, job)
    form = await desk.admin.click(desk.channel.history()[-1], label="Mark as charged")
    shown = await desk.admin.submit_modal(form, {"amount": "a few"})
    assert "Enter a whole number of credits, such as 8. Nothing was settled." in texts(shown)
    assert (await desk.job()).reserved == job.reserved


@pytest.mark.parametrize("private", [False, True])
async def test_admins_settle_what_nobody_knows_in_the_list_of_the_servers_jobs(
    desk: Desk, *, private: bool
) -> None:
    await lost(desk, private=private)
    shown = await desk.admin.slash(desk.channel, "jobs")
    await desk.admin.click(answer_of(shown), label="Server jobs")
    await open_listed(desk.admin, shown)
    assert "](https://discord.com" not in texts(shown)  # there is no message with it yet
    assert "Not charged." in texts(await desk.admin.click(answer_of(shown), label="Release credits"))
    ruled = await desk.job()
    assert (ruled.state, ruled.reserved) == (JobState.FAILED, 0)


# A button does something in its own server alone, whatever custom id a changed app sends from another

OF_A_JOB = ":{job_id}-{posting}"
PATTERNS = [one.pattern for one in _controls if one.pattern.endswith(OF_A_JOB)]
OF_JOBS = [*get_args(How), *(one.removesuffix(OF_A_JOB) for one in PATTERNS if "{how}" not in one)]
# Each has a job, for whose credits there is room.
SOME = [OF_JOBS[n : n + 8] for n in range(0, len(OF_JOBS), 8)]
REFUSALS = (
    "no such job here",
    "already settled",
    "was already deleted",
    "Only the person who asked",
    "show the original photo",
)


@pytest.fixture(autouse=True)
def _any_number_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.servers.key_entry.TESTS", 1000)  # the tests here share a server


def elsewhere(desk: Desk, name: str = "maya") -> tuple[MemberActor, int]:
    """The same person as an admin of another server that has the bot, and a channel there."""
    other = desk.env.create_guild("Elsewhere")
    everything = other.create_role("Admin", permissions=discord.Permissions(administrator=True))
    channel = other.create_text_channel("there")
    person = {"maya": desk.maya, "tom": desk.tom}[name]
    return other.add_member(person.user, roles=[everything]), channel.id


async def job_in(desk: Desk, *states: JobState) -> Job:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.job()
    return await desk.move(job, *states) if states else job


async def jobs(desk: Desk) -> list[tuple[str, JobState]]:
    return [(job.id, job.state) for job in await desk.db.read(queries.in_states, list(JobState))]


@pytest.mark.promise
@pytest.mark.parametrize("actions", SOME, ids=lambda actions: f"from {actions[0]}")
@pytest.mark.parametrize("who", ["maya", "tom"])
async def test_a_button_that_names_a_job_of_another_server_does_nothing(
    desk: Desk, subtests: pytest.Subtests, actions: list[str], who: str
) -> None:
    for action in actions:
        with subtests.test(action):
            await nothing_is_done(desk, action, who)


async def nothing_is_done(desk: Desk, action: str, who: str) -> None:
    unknown = (*DONE[:2], JobState.UNKNOWN)
    states = {"charged": unknown, "release": unknown, "cancel": ()}
    job = await job_in(desk, *states.get(action, DONE))
    before = await jobs(desk)
    person, channel_id = elsewhere(desk, who)
    if action == "delete":
        # Managing messages, they may delete any message of the bot's there: that one alone.
        desk.env.backend.get_guild(person.guild.id).members[person.id].role_ids.clear()
    message = await desk.channel_message(f"studii:{action}:{job.id}-{job.posting}", channel_id)
    told = await person.click(message, label="Press")
    assert told.modal is None
    assert any(words in texts(told) for words in REFUSALS), texts(told)
    assert await jobs(desk) == before
    assert desk.env.backend.get_message(channel_id, message.id)


@pytest.mark.promise
@pytest.mark.parametrize(
    "action", ["charged:{job}-0", "release:{job}-0", "jobs:server:0:any:any", "style:remove:{style}"]
)
async def test_nor_does_a_members_press_of_what_is_for_admins(desk: Desk, action: str) -> None:
    job = await job_in(desk, *DONE[:2], JobState.UNKNOWN)
    studio = desk.bot.catalog.get("studio")
    style = await desk.save_style(desk.admin, "Dawn", studio, {"prompt": "A harbour"}, for_server=True)
    button = await desk.channel_message(f"studii:{action.format(job=job.id, style=style.id)}")
    told = await desk.tom.click(button, label="Press")
    assert told.modal is None
    assert any(words in texts(told) for words in ("Manage Server", "isn't yours")), texts(told)
    assert await desk.job() == job
    assert await desk.db.read(styles.of, desk.guild.id, styles.OF_SERVER)


@pytest.mark.promise
async def test_nor_does_a_line_of_another_servers_list_or_a_button_of_its_key(desk: Desk) -> None:
    waiting = await job_in(desk)
    desk.clock.advance(60)  # another wish than the first
    done = await job_in(desk, *DONE)
    key = await desk.resources.db.read(keys.current, desk.guild.id)
    assert key is not None
    before = await jobs(desk)
    person, channel_id = elsewhere(desk)
    for forged, words in (
        (f"listed:cancel:{waiting.id}:mine:0", "no such job here"),
        (f"listed:post:{done.id}:mine:0", "no such job here"),
        (f"listed:show:{done.id}:mine:0", "no such job here"),
        (f"setup:forget:{key.id}", "a different key"),
        (f"tryagain:{desk.guild.id}", "belongs to another server"),
    ):
        button = await desk.channel_message(f"studii:{forged}", channel_id)
        assert words in texts(await person.click(button, label="Press"))
    assert await jobs(desk) == before
    assert await desk.resources.db.read(keys.current, desk.guild.id) == key


@pytest.mark.promise
async def test_a_job_of_ones_own_gives_no_right_to_delete_anothers_message(desk: Desk) -> None:
    job = await job_in(desk, *DONE)
    forged = f"studii:delete:{job.id}-0"
    someone_elses = await desk.channel_message("studii:delete:0123456789abcdef-0")
    told = await press(desk, desk.maya, someone_elses, forged)
    assert "isn't in the message any more" in texts(told)
    assert someone_elses.id in {message.id for message in desk.channel.history()}


@pytest.mark.promise
async def test_manage_messages_in_one_channel_gives_no_right_over_jobs_of_another(desk: Desk) -> None:
    job = await job_in(desk)
    helped = desk.guild.create_text_channel(
        "helped", overwrites={desk.tom: discord.PermissionOverwrite(manage_messages=True)}
    )
    cancel = await desk.channel_message(f"studii:cancel:{job.id}-0", helped.id)
    told = await desk.tom.click(cancel, label="Press")
    assert "a moderator (Manage Messages" in texts(told)
    assert (await desk.job()).state is JobState.WAITING
    await desk.move(await desk.job(), *DONE, result_message_id=(await desk.channel_message("x")).id)
    delete = await desk.channel_message(f"studii:logdelete:{job.id}-0", helped.id)
    assert "Manage Messages in the result's channel" in texts(await desk.tom.click(delete, label="Press"))


# One's own list, turned page by page, and what couldn't be posted


async def listed(desk: Desk) -> InteractionResult:
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert shown.ephemeral
    return shown


@pytest.mark.promise
async def test_the_list_shows_ones_own_jobs_newest_first_and_is_turned_page_by_page(desk: Desk) -> None:
    for number in range(12):
        await desk.maya.slash(desk.channel, "studio", prompt=f"Kite {number}")
        desk.clock.advance(10)
    await desk.tom.slash(desk.channel, "studio", prompt="Not Maya's")
    shown = await listed(desk)
    assert texts(shown).count("in the queue") == 9
    assert texts(shown).index("Kite 11") < texts(shown).index("Kite 3")
    assert "Page 1" in texts(shown)
    assert "Server jobs" not in labels(shown)
    await press_in(desk.maya, shown, "Older")
    assert texts(shown).count("in the queue") == 3
    assert "**10.**" in texts(shown)
    assert "Page 2" in texts(shown)
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    await press_in(desk.maya, shown, "Newer")
    assert "Page 1" in texts(shown)


async def unposted(desk: Desk, channel: ChannelHandle) -> tuple[Job, InteractionResult]:
    """A job of Maya's whose result couldn't be posted, as it is opened in her list."""
    await desk.maya.slash(channel, "studio", prompt="A red kite")
    changes = {"output_file": "x.png", "announced_at": desk.clock.now(), "finished_at": desk.clock.now()}
    job = await desk.move(await desk.job(), *DONE, **changes)
    shown = await listed(desk)
    await open_listed(desk.maya, shown)
    return job, shown


@pytest.mark.promise
async def test_what_could_not_be_posted_is_posted_where_one_asks_for_it(desk: Desk) -> None:
    closed = desk.channel_for_the_bot("closed")
    _, shown = await unposted(desk, closed)
    await press_in(desk.maya, shown, "Post here")
    job = await desk.job()
    assert (job.channel_id, job.posting, job.announced_at) == (desk.channel.id, 1, None)
    await open_listed(desk.maya, shown)
    assert "Post here" not in labels(shown)


@pytest.mark.promise
async def test_nothing_of_an_age_restricted_channel_is_posted_in_another_one(desk: Desk) -> None:
    adults = await desk.age_restricted_channel()
    job, shown = await unposted(desk, adults)
    answer = await press_in(desk.maya, shown, "Post here")
    assert "age-restricted" in texts(answer)
    await open_listed(desk.maya, shown)
    desk.restrict_by_age(adults, restricted=False)  # what was asked for when it was one stays what it is
    answer = await press_in(desk.maya, shown, "Post here")
    assert "age-restricted" in texts(answer)
    assert (await desk.job()).channel_id == job.channel_id
