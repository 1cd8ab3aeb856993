"""/jobs says what each job was: its prompt, its picture, for admins who and where; and it can be filtered."""

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import InteractionResult, MemberActor

from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.media.spool import OutputFile
from tests.support.desk import PNG, Desk, pieces, texts
from tests.support.posts import Posted, tell_end

DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


def thumbnails(shown: InteractionResult) -> list[str]:
    return [piece["media"]["url"] for piece in pieces(shown) if piece["type"] == 11]


def labels(shown: InteractionResult) -> list[str]:
    return [str(piece["label"]) for piece in pieces(shown) if piece["type"] == 2]


async def press(desk: Desk, who: MemberActor, shown: InteractionResult, label: str) -> InteractionResult:
    assert shown.response is not None
    found = (piece for piece in pieces(shown) if str(piece.get("label")).startswith(label))
    return await who.click(shown.response, custom_id=next(found)["custom_id"])


async def choose(who: MemberActor, shown: InteractionResult, by: str, value: str) -> None:
    assert shown.response is not None
    beginning = f"studii:jobsby:{by}:"
    (select,) = (one for one in pieces(shown) if str(one.get("custom_id")).startswith(beginning))
    await who.select(shown.response, [value], custom_id=select["custom_id"])


async def posted(desk: Desk, folder: Path, channel: Any, prompt: str) -> Job:
    """Let Maya's job succeed, and post its result."""
    await desk.maya.slash(channel, "studio", prompt=prompt)
    done = {"finished_at": desk.clock.now(), "output_kind": "image"}
    job = await desk.settle(await desk.move(await desk.job(), *DONE, **done), 8)
    path = folder / f"{job.id}.png"
    path.write_bytes(PNG)
    outcome = await tell_end(desk.delivery, job, OutputFile(path, "image", "image/png", len(PNG)))
    assert isinstance(outcome, Posted)
    message_id, now = outcome.message_id, desk.clock.now()
    await desk.db.write(transitions.change, job.id, result_message_id=message_id, announced_at=now)
    desk.clock.advance(60)
    return job


@pytest.mark.promise
async def test_each_job_has_its_prompt_and_picture_and_its_buttons_say_which_job_and_what_it_costs(
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
    assert labels(shown) == [
        "Cancel Studio “A **green** kite”",
        "Run again · about 8 credits",
        "Refresh",
    ]
    # What has gone by the time of the press is said above the list as it is then.
    for job in await desk.db.write(queries.in_states, [JobState.WAITING]):
        await desk.db.write(
            transitions.advance,
            job.id,
            job.state,
            JobState.FAILED,
            at=desk.clock.now(),
            failure=FailureCode.API,
        )
    told = await press(desk, desk.maya, shown, "Cancel Studio")
    assert not told.followups
    assert "⚠️ That job has already ended" in texts(shown)
    assert not any(label.startswith("Cancel") for label in labels(shown))

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
    await posted(desk, tmp_path, desk.channel, "A red kite")
    result = desk.channel.history()[-1]
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert f"[Studio]({result.jump_url}) · done · 8 credits" in texts(shown)
    await result.delete()
    await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert not thumbnails(shown)
    assert "Studio · deleted · 8 credits" in texts(shown)
    await press(desk, desk.maya, shown, "Cancel Studio")
    assert "✅ Cancelled: **Studio “A blue kite”**. Not charged." in texts(shown)


@pytest.mark.promise
async def test_admins_see_who_and_where_and_prompts_that_they_may_see_alone(
    desk: Desk, tmp_path: Path
) -> None:
    everyone, bot = desk.guild.default_role, desk.env.bot.user
    assert bot is not None
    hidden = desk.guild.create_text_channel(
        "hidden",
        overwrites={
            everyone: discord.PermissionOverwrite(view_channel=False),
            desk.maya: discord.PermissionOverwrite(view_channel=True),
            bot: discord.PermissionOverwrite(view_channel=True),
        },
    )
    await desk.env.settle()
    await posted(desk, tmp_path, desk.channel, "A red kite")
    await posted(desk, tmp_path, hidden, "A secret kite")
    await desk.maya.slash(desk.channel, "studio", prompt="A private kite", private=True)
    shown = await desk.admin.slash(desk.channel, "jobs")
    await press(desk, desk.admin, shown, "Server jobs")
    said = texts(shown)
    assert f"<@{desk.maya.id}> in <#{desk.channel.id}>" in said
    assert f"<@{desk.maya.id}> in <#{hidden.id}>" in said
    assert "> A red kite" in said
    assert "secret" not in said
    assert "A private kite" not in said
    assert f"<@{desk.maya.id}> in <#{desk.channel.id}> · private" in said
    assert len(thumbnails(shown)) == 1
    # A private job's admin doesn't see what it is, but can end it.
    assert "Cancel Studio" in labels(shown)
    await press(desk, desk.admin, shown, "Cancel Studio")
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
    for number in range(7):
        job = await posted(desk, tmp_path, desk.channel, f"{number}" + "*" * 900)
        await desk.db.write(transitions.change, job.id, result_message_id=None, output_file="x.png")
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert labels(shown).count("Post here") == 5
    assert len(pieces(shown)) <= 40


async def test_results_that_are_in_one_message_have_each_their_own_picture(
    desk: Desk, tmp_path: Path
) -> None:
    first = await posted(desk, tmp_path, desk.channel, "A red kite")
    second = await posted(desk, tmp_path, desk.channel, "A blue kite")
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    names = [f"studio-{job.id[:8]}.png" for job in (first, second)]
    both = await channel.send(files=[discord.File(tmp_path / f"{first.id}.png", name) for name in names])
    for job in (first, second):
        await desk.db.write(transitions.change, job.id, result_message_id=both.id)
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert [url.rsplit("/", 1)[1].split("?")[0] for url in thumbnails(shown)] == names[::-1]
