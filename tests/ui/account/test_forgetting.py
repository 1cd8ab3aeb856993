"""What is erased in time, and what when its person asks."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs import queries
from bot.jobs.best_results import BestConsent
from bot.jobs.models import Job, JobRequest
from bot.servers import access
from bot.servers.keys import Plan
from tests.support import spending
from tests.support.desk import DONE, Desk, answer_of, labels, make_bot, read_alone, texts
from tests.support.jobs import ledger_lines
from tests.support.posts import open_posts
from tests.support.presses import press
from tests.support.resources import accept, sweep
from tests.support.settings import control, usage


@pytest.mark.promise
async def test_prompts_and_links_are_erased_after_ninety_days_and_amounts_stay(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="a red kite")
    await desk.settle(await desk.move(await desk.job(), *DONE, output_url="https://studii.tech/o.png"), 8)
    desk.clock.advance(timedelta(days=89).total_seconds())
    await sweep(desk.resources)
    assert (await desk.job()).inputs["prompt"] == "a red kite"
    desk.clock.advance(timedelta(days=2).total_seconds())
    await sweep(desk.resources)
    job = await desk.job()
    assert (job.inputs, job.output_url, job.settled) == ({}, None, 8)


@pytest.mark.promise
async def test_forget_me_erases_what_one_wrote_and_made_and_keeps_the_amounts(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="a secret")
    mine = await desk.job()
    (tmp_path / "spool").mkdir()
    picture = tmp_path / "spool" / f"{mine.id}.output.png"
    picture.write_bytes(b"picture")
    mine = await desk.move(mine, *DONE, output_file=picture.name, announced_at=desk.clock.now())
    await desk.settle(mine, 8)
    await desk.tom.slash(desk.channel, "studio", prompt="not to be touched")
    told = await desk.forget(desk.maya)
    assert "pictures of 1 job" in texts(told)
    job = await desk.resources.db.read(queries.get, mine.id)
    assert job is not None
    assert (job.inputs, job.output_file, job.settled) == ({}, None, 8)
    assert not picture.exists()
    assert (await desk.job()).inputs["prompt"] == "not to be touched"
    # While the budget's period lasts, an allowance must not be had twice; then the name goes.
    assert (await spending.of_member(desk.resources, desk.guild.id, desk.maya.id)).use.usage.settled == 8
    desk.clock.advance(timedelta(days=1).total_seconds())
    await sweep(desk.resources)
    job = await desk.resources.db.read(queries.get, mine.id)
    assert job is not None
    assert (job.user_id, job.settled) == (0, 8)
    assert "<@0>" not in texts(await desk.admin.slash(desk.channel, "jobs"))
    shown = texts(await usage(desk))
    assert "<@0>" not in shown
    assert "members whose data was erased · **8 credits** · 1 job" in shown
    assert {line.user_id for line in await ledger_lines(desk.db, job_id=mine.id)} == {0}


async def _made(desk: Desk) -> Job:
    await desk.maya.slash(desk.channel, "studio", prompt="a secret")
    job = await desk.move(await desk.job(), *DONE, announced_at=desk.clock.now(), result_message_id=77)
    return await desk.settle(job, 8)


async def _made_elsewhere(desk: Desk) -> Job:
    """A job of the same member in another server."""
    other = desk.guild.id + 1
    await desk.resources.keys.set_key(other, "stu_another_0123456789", Plan.PRO)
    inputs = desk.bot.catalog.get("studio").prepare({"prompt": "elsewhere"}, has_source=False)
    job = await accept(desk.resources.acceptance, JobRequest(other, 5, desk.maya.id, "studio", inputs))
    return await desk.settle(await desk.move(job, *DONE, announced_at=desk.clock.now()), 8)


async def _inputs(desk: Desk, job: Job) -> object:
    stored = await desk.resources.db.read(queries.get, job.id)
    assert stored is not None
    return stored.inputs.get("prompt")


@pytest.mark.promise
async def test_it_says_what_goes_and_what_stays_and_erases_here_alone_or_everywhere_after_a_press(
    desk: Desk,
) -> None:
    here, elsewhere = await _made(desk), await _made_elsewhere(desk)
    asked = await desk.maya.slash(desk.channel, "settings")
    await desk.maya.click(answer_of(asked), label="Erase my data…")
    shown = read_alone(asked)
    assert "**1 job** in this server, **2 jobs** in every server" in shown
    assert "**Erased:** your prompts, inputs, links and kept pictures" in shown
    assert "and the language stored for you" in shown
    assert "**Stays:** the cost of your jobs" in shown
    assert await _inputs(desk, here) == "a secret"
    await desk.maya.click(answer_of(asked), label="Keep my data")
    assert "Nothing was erased." in texts(asked)
    assert await _inputs(desk, here) == "a secret"
    told = await desk.forget(desk.maya, "Erase in this server")
    assert "Your data in this server is erased: prompts, links and pictures of 1 job." in texts(told)
    assert labels(told) == []
    assert (await _inputs(desk, here), await _inputs(desk, elsewhere)) == (None, "elsewhere")
    assert "You haven't made anything here yet." in texts(await desk.maya.slash(desk.channel, "jobs"))
    assert "You haven't made anything here yet." in texts(await desk.maya.slash(desk.channel, "credits"))
    listed = await desk.admin.slash(desk.channel, "jobs")
    await desk.admin.click(answer_of(listed), label="Server jobs")
    assert "Studio · done · 8 credits" in texts(listed)
    assert "discord.com/channels" not in texts(listed)
    told = await desk.forget(desk.maya)
    assert "in every server is erased: prompts, links and pictures of 1 job." in texts(told)
    assert await _inputs(desk, elsewhere) is None


@pytest.mark.promise
async def test_what_runs_stays_in_the_list_until_it_is_done(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    told = await desk.forget(desk.maya)
    assert "Still running, and erased when done: 1 job." in texts(told)
    assert "Studio" in texts(await desk.maya.slash(desk.channel, "jobs"))


async def refuses(desk: Desk) -> bool:
    return bool(await desk.resources.db.read(access.refusing_photos, [desk.maya.id]))


@pytest.mark.promise
async def test_a_member_sees_and_changes_whether_starred_results_are_shown(desk: Desk) -> None:
    shown = await desk.maya.slash(desk.channel, "settings")
    assert "Your results aren't shown in a server's channel for the best" in texts(shown)
    for value in ("on", "off"):
        await desk.maya.click(answer_of(shown), custom_id=control(shown, "studii:put:settings:starred"))
        assert f"**Your starred results are shown**: {value}" in texts(shown)
        answered = await desk.resources.db.read(lambda session: session.get(BestConsent, desk.maya.id))
        assert bool(answered and answered.agreed) is (value == "on")


@pytest.mark.promise
async def test_each_presses_for_themselves_also_after_a_restart_and_no_log_hears_of_it(
    desk: Desk,
) -> None:
    shown = await desk.maya.slash(desk.channel, "settings")
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    custom_id = "studii:put:settings:photos:off"
    await press(desk, desk.tom, await desk.channel_message(custom_id), custom_id)
    assert not await refuses(desk)
    await desk.maya.click(answer_of(shown), custom_id=custom_id)
    assert await refuses(desk)
    assert await desk.db.read(open_posts) == []
