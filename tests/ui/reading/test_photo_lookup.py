"""Again, Edit and Run again a day later, when the address that the photo was given with has expired."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import InteractionResult

from bot.jobs.models import FailureCode, Job, JobState
from bot.servers import access
from tests.reactions.taps import PORTRAIT, STAGING, jobs_of, post, ready
from tests.support.desk import PNG, Desk, answer_of, open_listed, press_in, read_alone, texts
from tests.support.resources import erase, sweep
from tests.support.settings import admin
from tests.ui.jobs.results import press_on, source_bytes, staged, succeeded

ROOM_BYTES = PNG + b"room"
DAYS_AGO = "?ex=69000000&is=68fe0000&hm=2"


async def posted_by_tom(desk: Desk) -> discord.Message:
    return await desk.tom.send(
        desk.channel, "Look", attachments=[("a.png", PNG + b"another"), ("room.png", ROOM_BYTES)]
    )


async def failed_long_ago(desk: Desk, **changes: Any) -> Job:
    """The job that was accepted last did not work out, days ago: its photo's address has expired."""
    photo = await desk.photo()
    old = replace(photo, url=photo.url + DAYS_AGO)
    failed = await desk.move(
        await desk.job(), JobState.FAILED, failure=FailureCode.API, source=old, **changes
    )
    desk.clock.advance(3 * 86400)
    return failed


async def from_the_menu(desk: Desk) -> discord.Message:
    """Maya used a menu on the second picture of Tom's message."""
    await desk.set_key()
    message = await posted_by_tom(desk)
    shown = await desk.maya.context_menu(desk.channel, "Photo restoration", message)
    await desk.maya.submit_modal(shown, {"image": ["1"]})
    return message


async def run_again(desk: Desk) -> InteractionResult:
    listed = await desk.maya.slash(desk.channel, "jobs")
    await open_listed(desk.maya, listed)
    return await press_in(desk.maya, listed, "Run again")


@pytest.mark.promise
async def test_a_tapped_photo_is_had_from_its_message_again(desk: Desk) -> None:
    await admin(desk, "reactions on")
    await desk.maya.react(await posted_by_tom(desk), "🩹")
    await failed_long_ago(desk)
    await run_again(desk)
    assert source_bytes(desk, await desk.job()) == PNG + b"another"


@pytest.mark.promise
@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("message", "The original photo is no longer in Discord"),
        ("photo", "The original photo is no longer in Discord"),
        (404, "The original photo is no longer in Discord"),
        (503, "Try again in a moment"),
    ],
)
async def test_a_photo_that_is_gone_is_told_apart_from_trouble_at_discord_and_nothing_is_spent(
    desk: Desk, gone: str | int, said: str
) -> None:
    message = await from_the_menu(desk)
    await failed_long_ago(desk)
    if gone == "message":
        await desk.tom.delete(message)
    elif gone == "photo":
        address = "https://cdn.discordapp.com/attachments/1/2/x.png" + DAYS_AGO
        await desk.change(await desk.job(), source=replace(await desk.photo(), url=address))
    else:
        code = 10003 if gone == 404 else 0
        desk.env.inject_error("GET", "/channels/*/messages/*", status=int(gone), code=code, times=None)
    answer = await run_again(desk)
    assert said in read_alone(answer)
    assert "Nothing was charged" in texts(answer)
    assert len(await jobs_of(desk)) == 1


@pytest.mark.parametrize("status", [403, 503])
async def test_a_photo_that_can_not_be_looked_for_is_had_as_it_was_given_while_that_is_good(
    desk: Desk, status: int
) -> None:
    await from_the_menu(desk)
    await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    desk.clock.advance(60)
    desk.env.inject_error("GET", "/channels/*/messages/*", status=status, code=50001, times=None)
    await run_again(desk)
    assert source_bytes(desk, await desk.job()) == ROOM_BYTES
    await failed_long_ago(desk)
    await run_again(desk)
    assert len(await jobs_of(desk)) == 2


# Whose picture it is: of a result, of a forward, and of what was erased. It decides who may use it

ROOM = ("room.png", PNG + b"room")
SWEPT_AFTER = 91 * 86400


async def refuse(desk: Desk) -> None:
    """Maya does not want others to use her photos."""
    await desk.resources.db.write(access.refuse_photos, desk.maya.id, desk.clock.now(), refuses=True)


@pytest.mark.promise
async def test_a_forwarded_photo_is_still_its_authors_and_so_is_a_forwarded_result(
    desk: Desk, tmp_path: Path
) -> None:
    await ready(desk)
    forwarded = await desk.tom.forward(await post(desk, desk.maya, ROOM), desk.channel)
    refused = await desk.tom.context_menu(desk.channel, "Career portrait", forwarded)
    assert "on your own photos" in texts(refused)
    await refuse(desk)
    refused = await desk.tom.context_menu(desk.channel, "Photo restoration", forwarded)
    assert "doesn't want others to use it" in texts(refused)
    for emoji in (STAGING, PORTRAIT):
        await desk.tom.react(forwarded, emoji)
    assert not await jobs_of(desk)
    await desk.maya.context_menu(desk.channel, "Career portrait", forwarded)
    assert (await desk.job()).photo_author == desk.maya.id
    made = await desk.tom.forward(await succeeded(desk, tmp_path), desk.channel)
    refused = await desk.tom.context_menu(desk.channel, "Photo restoration", made)
    assert "doesn't want others to use it" in texts(refused)


@pytest.mark.promise
async def test_a_forward_whose_author_can_not_be_told_is_nobodys_to_use(desk: Desk) -> None:
    await ready(desk)
    photo = await post(desk, desk.maya, ROOM)
    forwarded = await desk.tom.forward(photo, desk.channel)
    await desk.maya.delete(photo)
    answer = await desk.tom.context_menu(desk.channel, "Photo restoration", forwarded)
    assert "It's not clear who first posted that photo" in texts(answer)
    await desk.tom.react(forwarded, STAGING)
    assert not await jobs_of(desk)


@pytest.mark.promise
@pytest.mark.parametrize("forgotten", [False, True])
async def test_a_refusal_holds_for_a_result_after_its_data_was_erased(
    desk: Desk, tmp_path: Path, *, forgotten: bool
) -> None:
    message = await staged(desk, tmp_path)
    await refuse(desk)
    if forgotten:
        await erase(desk.resources, desk.maya.id)
    desk.clock.advance(SWEPT_AFTER)
    await sweep(desk.resources)
    offered = await press_on(desk, desk.tom, message, "Use in…")
    answer = await desk.tom.select(answer_of(offered), ["photo-restore"])
    assert answer.ephemeral
    refused = "It's not clear who" if forgotten else "doesn't want others to use it"
    assert refused in texts(answer)


async def test_anothers_photo_does_not_become_ones_own_when_its_author_is_erased(
    desk: Desk, tmp_path: Path
) -> None:
    photo = await post(desk, desk.maya, ROOM)
    await desk.tom.context_menu(desk.channel, "Photo restoration", photo)
    job = await desk.job()
    assert (job.user_id, job.photo_author) == (desk.tom.id, desk.maya.id)
    result = await succeeded(desk, tmp_path)
    desk.clock.advance(SWEPT_AFTER)
    await sweep(desk.resources)
    for who in (desk.tom, desk.admin):
        offered = await press_on(desk, who, result, "Use in…")
        answer = await who.select(answer_of(offered), ["product-background"])
        assert "It's not clear who first posted that photo" in texts(answer)
