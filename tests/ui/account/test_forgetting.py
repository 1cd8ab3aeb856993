"""What is erased in time, and what when its person asks."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.credits.limits import AllowanceScope
from bot.jobs import queries
from bot.jobs.models import JobState
from bot.servers import access
from tests.support import spending
from tests.support.desk import Desk, open_desk, texts
from tests.support.jobs import ledger_lines
from tests.support.services import sweep
from tests.support.settings import admin


@pytest.mark.promise
async def test_prompts_and_links_are_erased_after_ninety_days_and_amounts_stay(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="a red kite")
    done = await desk.move(
        await desk.job(),
        JobState.WAITING,
        JobState.SUBMITTING,
        JobState.RUNNING,
        JobState.SUCCEEDED,
        output_url="https://studii.tech/out.png",
    )
    await desk.settle(done, 8)
    desk.clock.advance(timedelta(days=89).total_seconds())
    await sweep(desk.services)
    assert (await desk.job()).inputs["prompt"] == "a red kite"
    desk.clock.advance(timedelta(days=2).total_seconds())
    await sweep(desk.services)
    job = await desk.job()
    assert (job.inputs, job.output_url, job.settled) == ({}, None, 8)


@pytest.mark.promise
async def test_forget_me_erases_what_one_wrote_and_made_and_keeps_the_amounts(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="a secret")
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
    mine = await desk.job()
    (tmp_path / "spool").mkdir()
    picture = tmp_path / "spool" / f"{mine.id}.output.png"
    picture.write_bytes(b"picture")
    mine = await desk.move(mine, *states, output_file=picture.name, announced_at=desk.clock.now())
    await desk.settle(mine, 8)
    await desk.tom.slash(desk.channel, "studio", prompt="not to be touched")
    told = await desk.forget(desk.maya)
    assert "pictures of 1 job" in texts(told)
    job = await desk.services.db.read(queries.get, mine.id)
    assert job is not None
    assert (job.inputs, job.output_file, job.settled) == ({}, None, 8)
    assert not picture.exists()
    assert (await desk.job()).inputs["prompt"] == "not to be touched"
    # While the budget's period lasts, an allowance must not be had twice; then the name goes.
    assert (await spending.of_member(desk.services, desk.guild.id, desk.maya.id)).use.usage.settled == 8
    desk.clock.advance(timedelta(days=1).total_seconds())
    await sweep(desk.services)
    job = await desk.services.db.read(queries.get, mine.id)
    assert job is not None
    assert (job.user_id, job.settled) == (0, 8)
    assert "<@0>" not in texts(await desk.admin.slash(desk.channel, "jobs"))
    shown = texts(await admin(desk, "usage"))
    assert "<@0>" not in shown
    assert "members whose data was erased · **8 credits** · 1 job" in shown
    assert {line.user_id for line in await ledger_lines(desk.db, job_id=mine.id)} == {0}


async def test_what_is_erased_is_nowhere_in_the_databases_files(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        secret = "an orchid nobody else dreams of " * 40
        await desk.maya.slash(desk.channel, "studio", prompt=secret)
        states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
        await desk.move(await desk.job(), *states, announced_at=desk.clock.now())
        assert _holds(tmp_path, "orchid")
        await desk.forget(desk.maya)
    # Closed, the log of latest changes has gone into the file.
    assert not _holds(tmp_path, "orchid")


def _holds(folder: Path, word: str) -> bool:
    files = [path for path in folder.iterdir() if path.is_file()]
    assert files
    return any(word.encode() in path.read_bytes() for path in files)


@pytest.mark.promise
async def test_forget_me_takes_ones_name_off_grants_of_past_periods_and_keeps_what_protects(
    desk: Desk,
) -> None:
    await spending.grant(desk.services, desk.guild.id, desk.maya.id, 5)
    await spending.grant(desk.services, desk.guild.id, desk.tom.id, 7)
    await spending.set_limits(
        desk.services, desk.guild.id, allowance=(AllowanceScope.MEMBER, desk.maya.id, 20)
    )
    await desk.services.db.write(access.refuse_photos, desk.maya.id, desk.clock.now(), refuses=True)
    await desk.maya.slash(desk.channel, "studio", prompt="a secret")
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
    await desk.settle(await desk.move(await desk.job(), *states, announced_at=desk.clock.now()), 8)
    await desk.services.db.write(access.block, desk.guild.id, desk.maya.id, desk.clock.now())
    await desk.forget(desk.maya)
    assert (await spending.grants(desk.services, desk.guild.id)).members[desk.maya.id] == 5
    desk.clock.advance(timedelta(days=1).total_seconds())
    await sweep(desk.services)
    lines = await ledger_lines(desk.db, guild_id=desk.guild.id)
    assert {(line.user_id, line.amount) for line in lines if line.job_id is None} == {
        (0, 5),
        (desk.tom.id, 7),
    }
    # What would be had by asking to be forgotten, or be lost by it, stays.
    assert desk.maya.id in (await desk.services.db.read(access.of, desk.guild.id, desk.clock.now())).blocked
    assert await desk.services.db.read(access.refusing_photos, [desk.maya.id])
    state = await spending.of_member(desk.services, desk.guild.id, desk.maya.id, ())
    assert state.whole == 20


async def granted(desk: Desk) -> set[tuple[int | None, int]]:
    lines = await ledger_lines(desk.db, guild_id=desk.guild.id)
    return {(line.user_id, line.amount) for line in lines if line.job_id is None}


async def test_forget_me_takes_ones_name_off_grants_at_once_where_one_has_made_nothing(
    desk: Desk,
) -> None:
    await spending.grant(desk.services, desk.guild.id, desk.maya.id, 5)
    await spending.grant(desk.services, desk.guild.id, desk.tom.id, 7)
    await desk.forget(desk.maya)
    assert await granted(desk) == {(0, 5), (desk.tom.id, 7)}
    assert (await spending.grants(desk.services, desk.guild.id)).members == {desk.tom.id: 7}


async def test_a_grant_of_a_later_period_than_ones_last_job_loses_ones_name_too(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="a secret")
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
    await desk.settle(await desk.move(await desk.job(), *states, announced_at=desk.clock.now()), 8)
    desk.clock.advance(timedelta(days=1).total_seconds())
    await spending.grant(desk.services, desk.guild.id, desk.maya.id, 5)
    await desk.forget(desk.maya)
    assert await granted(desk) == {(0, 5)}
    # What is granted anew is theirs.
    await spending.grant(desk.services, desk.guild.id, desk.maya.id, 3)
    await sweep(desk.services)
    assert await granted(desk) == {(0, 5), (desk.maya.id, 3)}
