"""Whose picture it is: of a result, of a forward, and of what was erased. It decides who may use it."""

from pathlib import Path

import discord
import pytest

from bot.servers import access
from bot.servers.access import PhotoScope
from tests.reactions.taps import PORTRAIT, STAGING, jobs_of, post, ready
from tests.support.desk import PNG, Desk, texts
from tests.support.posts import tell_end
from tests.support.services import erase, sweep
from tests.support.settings import admin
from tests.ui.jobs.results.test_result_buttons import DONE, files, press, staged

ROOM = ("room.png", PNG + b"room")
SWEPT_AFTER = 91 * 86400


async def refuse(desk: Desk) -> None:
    """Maya does not want others to use her photos."""
    await desk.services.db.write(access.refuse_photos, desk.maya.id, desk.clock.now(), refuses=True)


async def sweep_later(desk: Desk) -> None:
    desk.clock.advance(SWEPT_AFTER)
    await sweep(desk.services)


async def finished(desk: Desk, folder: Path) -> discord.Message:
    """The job that was accepted last is done, and its result posted."""
    done = {"finished_at": desk.clock.now(), "announced_at": desk.clock.now(), "output_kind": "image"}
    job = await desk.move(await desk.job(), *DONE, **done)
    await tell_end(desk.delivery, job, files(folder, before=False))
    return desk.channel.history()[-1]


@pytest.mark.promise
async def test_a_menu_on_a_result_is_refused_where_the_photos_author_refuses(
    desk: Desk, tmp_path: Path
) -> None:
    message = await staged(desk, tmp_path)
    await refuse(desk)
    for menu in ("Virtual staging", "Photo restoration"):
        answer = await desk.tom.context_menu(desk.channel, menu, message)
        assert answer.modal is None
        assert "doesn't want others to use it" in texts(answer)
    assert len(await jobs_of(desk)) == 1


@pytest.mark.promise
async def test_a_forwarded_photo_is_still_its_authors(desk: Desk) -> None:
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


@pytest.mark.promise
async def test_a_forwarded_result_is_of_whose_photo_it_was_made(desk: Desk, tmp_path: Path) -> None:
    forwarded = await desk.tom.forward(await staged(desk, tmp_path, before=False), desk.channel)
    await refuse(desk)
    refused = await desk.tom.context_menu(desk.channel, "Photo restoration", forwarded)
    assert "doesn't want others to use it" in texts(refused)


@pytest.mark.promise
async def test_a_photo_channel_makes_nothing_of_a_forward_whose_author_refuses(desk: Desk) -> None:
    elsewhere = desk.guild.create_text_channel("elsewhere")
    await admin(desk, "photos auto", tool="photo-restore")
    photo = await post(desk, desk.maya, ROOM, channel=elsewhere)
    await desk.tom.forward(photo, desk.channel)
    assert (await desk.job()).photo_author == desk.maya.id
    await refuse(desk)
    await desk.tom.forward(photo, desk.channel)
    assert len(await jobs_of(desk)) == 1


async def test_where_own_photos_only_are_taken_a_forward_of_anothers_is_not(desk: Desk) -> None:
    await ready(desk)
    await desk.services.db.write(access.change, desk.guild.id, photos=PhotoScope.OWN)
    forwarded = await desk.tom.forward(await post(desk, desk.maya, ROOM), desk.channel)
    await desk.tom.react(forwarded, STAGING)
    answer = await desk.tom.context_menu(desk.channel, "Photo restoration", forwarded)
    assert "Someone else posted that one" in texts(answer)
    assert not await jobs_of(desk)


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
        await erase(desk.services, desk.maya.id)
    await sweep_later(desk)
    offered = await press(desk, desk.tom, message, "Use in…")
    assert offered.response is not None
    answer = await desk.tom.select(offered.response, ["photo-restore"])
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
    result = await finished(desk, tmp_path)
    await sweep_later(desk)
    for who in (desk.tom, desk.admin):
        offered = await press(desk, who, result, "Use in…")
        assert offered.response is not None
        answer = await who.select(offered.response, ["product-background"])
        assert "It's not clear who first posted that photo" in texts(answer)
