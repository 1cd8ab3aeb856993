"""Admins settle what nobody knows, once; and a key that is held can be tried again."""

from pathlib import Path

import discord
import pytest

from bot.domain.guilds import Plan
from bot.jobs import holds, holds as key_holds, queries
from bot.jobs.models import Job, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.ui.jobs.results.unknown_outcomes import ruling_buttons
from bot.ui.kit.layout import Panel, row
from tests.support.desk import Desk, open_desk, pieces, texts


async def unknown(desk: Desk) -> Job:
    await desk.set_key()
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    # As the log says it, and an earlier version said it to all.
    await channel.send(view=Panel(row(*ruling_buttons(job))))
    return job


def button(desk: Desk, label: str) -> str:
    told = desk.channel.history()[-1]
    (found,) = (piece for piece in pieces(told) if piece.get("label") == label)
    return str(found["custom_id"])


async def test_an_admin_says_that_it_was_charged_and_how_much(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await unknown(desk)
        form = await desk.admin.click(desk.channel.history()[-1], custom_id=button(desk, "Mark as charged"))
        answer = await desk.admin.submit_modal(form, {"amount": "5"})
        assert "Charged 5 credits." in texts(answer)
        ruled = await desk.services.db.read(queries.get, job.id)
        assert ruled is not None
        assert (ruled.state, ruled.settled, ruled.reserved) == (JobState.FAILED, 5, 0)
        assert ruled.announced_at is None
        assert ruled.nonce != job.nonce


async def test_an_admin_releases_it_and_the_ruling_is_posted(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await unknown(desk)
        answer = await desk.admin.click(desk.channel.history()[-1], custom_id=button(desk, "Release credits"))
        assert "Not charged." in texts(answer)
        ruled = await desk.services.db.read(queries.get, job.id)
        assert ruled is not None
        assert "Studii never made this" in texts(await desk.told(ruled))


@pytest.mark.promise
async def test_nothing_is_left_to_settle_once_studiis_answer_has_arrived(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await unknown(desk)
        await desk.move(job, JobState.RUNNING)
        for label in ("Release credits", "Mark as charged"):
            answer = await desk.admin.click(desk.channel.history()[-1], custom_id=button(desk, label))
            assert "Studii's answer has arrived" in texts(answer)
        assert (await desk.job()).state is JobState.RUNNING


@pytest.mark.promise
async def test_members_can_not_rule(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await unknown(desk)
        for label in ("Release credits", "Mark as charged"):
            answer = await desk.maya.click(desk.channel.history()[-1], custom_id=button(desk, label))
            assert "You need the Manage Server permission" in texts(answer)
        still = await desk.services.db.read(queries.get, job.id)
        assert still is not None
        assert still.state is JobState.UNKNOWN


async def hold(desk: Desk) -> None:
    await desk.set_key()
    key = await desk.services.db.read(keys.current, desk.guild.id)
    assert key is not None
    until = desk.clock.now().replace(hour=23)
    await desk.db.write(key_holds.put_hold, desk.guild.id, key.id, Reason(ReasonCode.OUT_OF_CREDITS), until)


async def test_while_a_key_is_held_new_commands_are_told_at_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await hold(desk)
        answer = await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        assert answer.ephemeral
        assert "Studii has no credits left for this." in texts(answer)
        assert "Nothing was charged." in texts(answer)


async def test_try_again_and_a_new_key_reach_what_studii_refused_to_tell_of(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await hold(desk)
        states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
        await desk.services.db.write(holds.try_again, desk.guild.id, desk.clock.now())
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        later = desk.clock.now().replace(hour=23)
        refused = await desk.move(
            await desk.job(), *states, held=Reason.text("No such key."), not_before=later
        )
        await desk.services.db.write(holds.try_again, desk.guild.id, desk.clock.now())
        assert (await desk.job()).not_before == desk.clock.now()
        new = await desk.services.keys.set_key(desk.guild.id, "stu_fedcba9876543210", Plan.PRO, None)
        job = await desk.job()
        assert (job.id, job.key_id, job.not_before) == (refused.id, new.id, desk.clock.now())
