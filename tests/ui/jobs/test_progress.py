"""The buttons under a result, pressed by different people and after a restart."""

from dataclasses import replace
from pathlib import Path

import discord
import pytest
from simcord import InteractionResult
from simcord.interactions import base_payload

from bot.catalog import Catalog
from bot.delivery import DiscordDelivery
from bot.jobs import transitions
from bot.jobs.models import Job
from bot.media.spool import OutputFile
from bot.servers import settings
from bot.servers.settings import GuildSettings
from tests.delivery.test_results import MADE, MIB, files, made
from tests.support.decoders import SharedDecoders
from tests.support.desk import (
    DONE,
    PNG,
    Desk,
    answer_of,
    labelled,
    labels,
    make_bot,
    open_desk,
    press_in,
    press_more,
    texts,
)
from tests.support.panels import shown_with
from tests.support.posts import tell_end
from tests.support.presses import press
from tests.support.simulated import delivery_on


async def posted_result(desk: Desk, folder: Path, size: int = len(PNG)) -> discord.Message:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    done = {"finished_at": desk.clock.now(), "output_kind": "image", "output_url": "https://files.example/o"}
    job = await desk.move(await desk.job(), *DONE, **done)
    file = folder / "out.png"
    file.write_bytes(PNG if size == len(PNG) else MADE)
    delivery = delivery_on(desk.bot, desk.bot.catalog, SharedDecoders())
    await tell_end(delivery, job, OutputFile(file, "image", "image/png", size))
    return desk.channel.history()[-1]


def stands(desk: Desk, message: discord.Message) -> bool:
    return message.id in {shown.id for shown in desk.channel.history()}


@pytest.mark.promise
async def test_others_are_offered_what_they_may_do_and_told_who_can_delete(
    desk: Desk, tmp_path: Path
) -> None:
    message = await posted_result(desk, tmp_path)
    assert labels(await press_more(desk.maya, message)) == [
        "Use in…",
        "Variations…",
        "Save as style",
        "Delete",
    ]
    assert labels(await press_more(desk.tom, message)) == ["Use in…", "Variations…"]
    question = await press_more(desk.maya, message, "Delete")
    old = await desk.channel_message(f"studii:delete:{(await desk.job()).id}-0")  # as results had it
    refused = await press(desk, desk.tom, old, f"studii:delete:{(await desk.job()).id}-0")
    assert refused.ephemeral
    assert "a moderator (Manage Messages or Manage Server)" in texts(refused)
    forged = labelled(question, "Delete")
    told = await press(desk, desk.tom, await desk.channel_message(forged), forged)
    assert "Only the person who asked for this" in texts(told)
    assert stands(desk, message)


@pytest.mark.promise
async def test_a_private_result_is_deleted_without_a_question_and_is_nobody_elses(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=True)
    job = await desk.move(await desk.job(), *DONE, finished_at=desk.clock.now(), output_kind="image")
    ids = labels(shown_with(job, f"studio-{job.id[:8]}.png"))
    assert ids[1:] == ["Edit", "Full size", "More…", "Delete"]
    for action in ("again", "more", "full"):
        forged = f"studii:{action}:{job.id}-0"
        told = await press(desk, desk.tom, await desk.channel_message(forged), forged)
        assert "That result is private to someone else." in texts(told)


@pytest.mark.promise
async def test_full_size_is_discords_own_link_or_one_that_studii_has_just_signed(
    desk: Desk, tmp_path: Path
) -> None:
    message = await posted_result(desk, tmp_path)
    told = texts(await desk.tom.click(message, label="Full size"))
    assert f"(<{message.attachments[0].url}>)" in told
    message = await posted_result(desk, tmp_path, 30 * 1024 * 1024)
    assert "Shown smaller than it was made" in texts(message)

    async def fresh_link(job: Job) -> str:
        return f"https://files.example/{job.id}?signed=now"

    desk.bot.resources = replace(desk.bot.resources, fresh_link=fresh_link)
    told = texts(await desk.tom.click(message, label="Full size"))
    assert f"(<https://files.example/{(await desk.job()).id}?signed=now>)" in told


@pytest.mark.promise
@pytest.mark.parametrize("permission", ["manage_messages", "manage_guild"])
async def test_someone_who_manages_messages_or_the_server_can_delete_it(
    desk: Desk, tmp_path: Path, permission: str
) -> None:
    message = await posted_result(desk, tmp_path)
    moderators = desk.guild.create_role("Mods", permissions=discord.Permissions(**{permission: True}))
    mod = desk.guild.add_member(desk.env.create_user("mo"), roles=[moderators])
    await press_more(mod, message, "Delete", "Delete")
    assert not stands(desk, message)


@pytest.mark.promise
async def test_the_requester_can_delete_a_result_also_after_a_restart(desk: Desk, tmp_path: Path) -> None:
    message = await posted_result(desk, tmp_path)
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.resources)
    await desk.env.restart_bot(bot)
    await press_more(desk.maya, message, "Delete", "Delete")
    assert not stands(desk, message)


@pytest.mark.promise
async def test_of_two_presses_at_once_one_deletes_it_and_the_other_says_that_it_is_deleted(
    desk: Desk,
    tmp_path: Path,
) -> None:
    message = await posted_result(desk, tmp_path)
    questions = [await press_more(desk.maya, message, "Delete") for _ in range(2)]
    answers = [await press_in(desk.maya, one, "Delete") for one in questions]
    assert not stands(desk, message)
    assert sum("That was already deleted." in texts(one) for one in answers) == 1


@pytest.mark.promise
async def test_an_input_that_is_asked_for_can_not_come_in_by_extra(desk: Desk) -> None:
    answer = await desk.admin.slash(
        desk.channel, "virtual-staging", image=("a.png", PNG), style="modern", extra="room=x"
    )
    assert "`room` is an option of the command" in texts(answer)


@pytest.mark.promise
async def test_only_people_with_manage_server_may_use_extra(desk: Desk) -> None:
    answer = await desk.maya.slash(desk.channel, "photo-restore", image=("a.png", PNG), extra="seed=5")
    assert answer.ephemeral
    assert "`extra` is only for members with Manage Server. Try again without it." in texts(answer)


# What a person is told when Discord, a photo or a form gives less than was asked for


async def test_a_command_that_the_bot_no_longer_has_says_to_reload(tmp_path: Path) -> None:
    async with open_desk(tmp_path, check_errors=False) as desk:
        record, payload = base_payload(
            desk.env.backend,
            type=2,
            channel_id=desk.channel.id,
            guild_id=desk.guild.id,
            user_id=desk.maya.id,
            data={"id": "1", "name": "of-yesterday", "type": 1, "options": []},
        )
        desk.env.backend.emit("INTERACTION_CREATE", payload)
        await desk.env.settle()
        told = texts(InteractionResult(desk.env, record))
        assert "This command has changed. Reload Discord (Ctrl+R, or close and open the app)" in told


@pytest.mark.promise
async def test_an_input_that_the_photo_decides_is_not_taken_from_extra(desk: Desk) -> None:
    flag = Catalog.load().get("studio").source_flag
    assert flag is not None
    told = await desk.admin.slash(desk.channel, "studio", prompt="A kite", extra=f"{flag.name}=true")
    assert f"`{flag.name}` depends on whether you attach a photo. Leave it out of `extra`." in texts(told)


# What a listing with a staged picture needs


async def with_label(_: int) -> GuildSettings:
    return GuildSettings(0, staging_label="Virtually staged")


def delivery(desk: Desk) -> DiscordDelivery:
    decoders = SharedDecoders()
    return delivery_on(desk.bot, desk.bot.catalog, decoders, with_label)


async def test_a_photo_that_was_made_smaller_is_said_to_be(tmp_path: Path) -> None:
    async with made(tmp_path) as (desk, _, job):
        staging = replace(job, tool="virtual-staging")
        await tell_end(delivery(desk), staging, files(tmp_path, 1 * MIB, 11 * MIB))
        told = texts(await press_more(desk.tom, desk.channel.history()[-1], "For a listing"))
        assert "The button opens the photo smaller than it was sent (re-encoded)" in told


async def test_a_photo_that_is_itself_a_result_is_not_called_unaltered(tmp_path: Path) -> None:
    async with made(tmp_path) as (desk, _, restored):
        await desk.resources.db.write(settings.change, desk.guild.id, staging_label="Virtually staged")
        await tell_end(delivery(desk), restored, files(tmp_path, 1 * MIB, 1 * MIB))
        message = desk.channel.history()[-1]
        await desk.db.write(transitions.change, restored.id, result_message_id=message.id)
        offered = await press_more(desk.tom, message, "Use in…")
        form = await desk.tom.select(answer_of(offered), ["virtual-staging"])
        await desk.tom.submit_modal(form, {})
        kept = {"output_kind": "image", "output_url": restored.output_url, "finished_at": desk.clock.now()}
        staged = await desk.move(await desk.job(), *DONE, **kept)
        await tell_end(delivery(desk), staged, files(tmp_path, 1 * MIB, 1 * MIB))
        told = texts(await press_more(desk.tom, desk.channel.history()[-1], "For a listing"))
        assert "The photo before is itself a result" in told
        assert "[your link]" not in told
