"""`/settings` asks first before it erases, and erases where it was told to."""

import pytest

from bot.domain.guilds import Plan
from bot.jobs import queries
from bot.jobs.models import Job, JobRequest, JobState
from tests.support.desk import Desk, pieces, texts
from tests.support.services import accept

STATES = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


async def _made(desk: Desk, prompt: str = "a secret") -> Job:
    await desk.maya.slash(desk.channel, "studio", prompt=prompt)
    job = await desk.move(await desk.job(), *STATES, announced_at=desk.clock.now(), result_message_id=77)
    return await desk.settle(job, 8)


async def _made_elsewhere(desk: Desk) -> Job:
    """A job of the same member in another server."""
    other = desk.guild.id + 1
    await desk.services.keys.set_key(other, "stu_another_0123456789", Plan.PRO, None)
    inputs = desk.bot.catalog.get("studio").prepare({"prompt": "elsewhere"}, has_source=False)
    job = await accept(desk.services.acceptance, JobRequest(other, 5, desk.maya.id, "studio", inputs))
    return await desk.settle(await desk.move(job, *STATES, announced_at=desk.clock.now()), 8)


async def _inputs(desk: Desk, job: Job) -> object:
    stored = await desk.services.db.read(queries.get, job.id)
    assert stored is not None
    return stored.inputs.get("prompt")


@pytest.mark.promise
async def test_it_says_what_goes_and_what_stays_and_erases_nothing_before_a_press(desk: Desk) -> None:
    here, _ = await _made(desk), await _made_elsewhere(desk)
    asked = await desk.maya.slash(desk.channel, "settings")
    assert asked.ephemeral
    assert asked.response is not None
    await desk.maya.click(asked.response, label="Erase my data…")
    shown = texts(asked)
    assert "**1 job** in this server, **2 jobs** in every server" in shown
    assert "**Erased:** your prompts, inputs, links and kept pictures" in shown
    assert "and the language stored for you" in shown
    assert "**Stays:** the cost of your jobs" in shown
    assert await _inputs(desk, here) == "a secret"
    assert asked.response is not None
    await desk.maya.click(asked.response, label="Keep my data")
    assert "Nothing was erased." in texts(asked)
    assert await _inputs(desk, here) == "a secret"


@pytest.mark.promise
async def test_one_erases_in_this_server_alone_or_everywhere(desk: Desk) -> None:
    here, elsewhere = await _made(desk), await _made_elsewhere(desk)
    told = await desk.forget(desk.maya, "Erase in this server")
    assert "Your data in this server is erased: prompts, links and pictures of 1 job." in texts(told)
    assert [piece for piece in pieces(told) if piece["type"] == 2] == []
    assert (await _inputs(desk, here), await _inputs(desk, elsewhere)) == (None, "elsewhere")
    told = await desk.forget(desk.maya)
    assert "in every server is erased: prompts, links and pictures of 1 job." in texts(told)
    assert await _inputs(desk, elsewhere) is None


@pytest.mark.promise
async def test_what_was_erased_is_in_none_of_ones_lists_and_led_to_by_none(desk: Desk) -> None:
    await _made(desk)
    await desk.forget(desk.maya)
    assert "You haven't made anything here yet." in texts(await desk.maya.slash(desk.channel, "jobs"))
    assert "You haven't made anything here yet." in texts(await desk.maya.slash(desk.channel, "credits"))
    listed = await desk.admin.slash(desk.channel, "jobs")
    assert listed.response is not None
    await desk.admin.click(listed.response, label="Server jobs")
    assert "Studio · done · 8 credits" in texts(listed)
    assert "discord.com/channels" not in texts(listed)


@pytest.mark.promise
async def test_what_runs_stays_in_the_list_until_it_is_done(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    told = await desk.forget(desk.maya)
    assert "Still running, and erased when done: 1 job." in texts(told)
    assert "Studio" in texts(await desk.maya.slash(desk.channel, "jobs"))
