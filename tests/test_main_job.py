"""The main job, from a command to the picture in the channel: everything is real but Discord and Studii."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import discord
import pytest
from simcord import InteractionResult
from simcord.backend.models import Interaction
from simcord.interactions import base_payload

from bot.domain.guilds import Period, Plan
from bot.jobs import queries
from bot.jobs.models import JobState
from bot.servers import keys
from sandbox.photos import empty_room
from sandbox.studii import Options, Outcome, StudiiServer, faults
from tests.support import spending
from tests.support.desk import started
from tests.support.simulated.people import Person, text_of, until
from tests.support.simulated.stage import Stage, open_stage

QUICK = Options(instant=True, long_side=96)
PHOTO_TOOLS = {
    "virtual-staging": {"style": "scandinavian", "room": "bedroom"},
    "photo-restore": {},
    "product-background": {},
    "career-photo": {},
}


@asynccontextmanager
async def running(folder: Path) -> AsyncGenerator[tuple[Stage, Person, Person]]:
    """The bot at work, an admin and a member; Studii's jobs are done at once."""
    async with StudiiServer(QUICK) as studii, open_stage(studii, folder) as stage:
        yield stage, Person(stage, stage.world.admin), Person(stage, stage.world.maya)


@cache
def photo() -> tuple[str, bytes]:
    return "room.jpg", empty_room((320, 240))


@pytest.mark.promise
@pytest.mark.parametrize("tool", PHOTO_TOOLS)
async def test_a_photo_goes_to_studii_and_the_result_comes_back_byte_for_byte(
    tmp_path: Path, tool: str
) -> None:
    async with running(tmp_path) as (stage, admin, maya):
        await admin.set_key(stage.studii.add_key().secret)
        name, data = photo()
        card = await maya.command(tool, image=(name, data), **PHOTO_TOOLS[tool])
        result = await maya.result_of(card)

        (upload,) = stage.studii.uploads.values()
        assert upload.data == data
        (job,) = stage.studii.jobs.values()
        assert job.request.tool == tool
        assert job.request.inputs == PHOTO_TOOLS[tool]
        assert await result.attachments[0].read() == (await stage.studii.output_of(job.id)).data
        assert maya.actor.id in {user.id for user in result.mentions}


@pytest.mark.promise
@pytest.mark.parametrize("mode", ["image", "video"])
async def test_words_become_a_picture_or_a_video(tmp_path: Path, mode: str) -> None:
    async with running(tmp_path) as (stage, admin, maya):
        await admin.set_key(stage.studii.add_key().secret)
        card = await maya.command("studio", prompt="A lighthouse in the fog", mode=mode)
        result = await maya.result_of(card)

        (job,) = stage.studii.jobs.values()
        assert job.request.inputs["source"] == "text"
        assert job.request.inputs["mode"] == mode
        posted = result.attachments[0]
        assert await posted.read() == (await stage.studii.output_of(job.id)).data
        assert (posted.content_type or "").startswith(mode)


@pytest.mark.promise
async def test_the_result_tells_what_it_cost_and_the_ledger_agrees(tmp_path: Path) -> None:
    async with running(tmp_path) as (stage, admin, maya):
        await admin.set_key(stage.studii.add_key().secret)
        stage.studii.next_job(Outcome(charge=23))
        card = await maya.command("studio", prompt="A red kite")
        result = await maya.result_of(card)
        assert "23 credits" in text_of(result)  # all that the card said, whose place it has taken
        state = await spending.budget(stage.app.services, stage.world.guild.id)
        assert (state.usage.settled, state.usage.reserved) == (23, 0)


@pytest.mark.promise
async def test_a_job_that_studii_fails_is_told_with_what_it_cost(tmp_path: Path) -> None:
    async with running(tmp_path) as (stage, admin, maya):
        await admin.set_key(stage.studii.add_key().secret)
        stage.studii.next_job(Outcome(fails="The model gave up."))
        card = await maya.command("studio", prompt="Something difficult")
        await until(lambda: "“The model gave up”." in text_of(card.response), "the answer to say why")
        assert "Not charged." in text_of(card.response)


@pytest.mark.promise
async def test_a_key_that_studii_refuses_is_not_stored(tmp_path: Path) -> None:
    async with running(tmp_path) as (stage, admin, maya):
        answer = await admin.set_key("stu_" + "x" * 40)
        assert "Studii doesn't accept this API key" in text_of(
            answer.followups[-1] if answer.followups else answer.response
        )
        assert await stage.app.services.db.read(keys.current, stage.world.guild.id) is None
        assert (await maya.command("studio", prompt="A red kite")).ephemeral


@pytest.mark.promise
async def test_fifty_at_once_on_a_budget_with_room_for_five_are_five(tmp_path: Path) -> None:
    async with running(tmp_path) as (stage, _, _):
        key = stage.studii.add_key(balance=10_000)
        await stage.app.services.keys.set_key(stage.world.guild.id, key.secret, Plan.PRO, None)
        await spending.set_budget(stage.app.services, stage.world.guild.id, 5 * 8 + 7, Period.DAY)
        answers = await all_at_once(stage, 50, prompt="The same idea")
        accepted = [answer for answer in answers if started(answer)]
        refused = [answer for answer in answers if not started(answer)]
        assert (len(accepted), len(refused)) == (5, 45)
        assert accepted == answers[:5]  # who asked first, although nothing was in memory yet
        assert all("budget" in text_of(answer.response) for answer in refused)
        await until(lambda: len(results(stage)) == 5, "five results")
        assert len(stage.studii.jobs) == 5
        state = await spending.budget(stage.app.services, stage.world.guild.id)
        assert state.usage.spent == 40


@pytest.mark.promise
async def test_a_key_appears_in_no_log_and_in_no_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(tmp_path) as (stage, admin, maya):
        key = stage.studii.add_key()
        await admin.set_key(key.secret)
        stage.studii.fail("create", faults.error(400, f"The key {key.secret} may not do this."))
        refused = await maya.command("studio", prompt="A red kite")
        await until(lambda: "Not charged." in text_of(refused.response), "the answer to say that it failed")
        await maya.result_of(await maya.command("studio", prompt="A blue kite"))
        shown = "".join(map(text_of, [refused.response, *stage.world.channel.history()]))
        files = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}  # noqa: ASYNC240
    assert not [file for file, data in files.items() if key.secret.encode() in data]
    assert key.secret not in caplog.text
    assert key.secret not in shown


@pytest.mark.promise
async def test_a_restart_before_the_photo_is_fetched_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as (stage, admin, maya):
        await admin.set_key(stage.studii.add_key().secret)
        stage.engine.cancel()
        await ends_well_after_a_restart(stage, maya, JobState.RECEIVED)


@pytest.mark.promise
async def test_a_restart_while_a_job_waits_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as (stage, admin, maya):
        await admin.set_key(stage.studii.add_key().secret)
        stage.studii.fail("create", faults.rate_limited(retry_after=1), times=2)
        await ends_well_after_a_restart(stage, maya, JobState.WAITING)


@pytest.mark.promise
async def test_a_restart_while_studii_works_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as (stage, admin, maya):
        await admin.set_key(stage.studii.add_key().secret)
        stage.studii.next_job(Outcome(duration=1.5))
        await ends_well_after_a_restart(stage, maya, JobState.RUNNING)


@pytest.mark.promise
async def test_a_restart_before_the_result_is_posted_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as (stage, admin, maya):
        await admin.set_key(stage.studii.add_key().secret)
        stage.world.env.inject_error("POST", "/channels/*/messages", status=503, times=1)
        await ends_well_after_a_restart(stage, maya, JobState.SUCCEEDED)


async def ends_well_after_a_restart(stage: Stage, maya: Person, state: JobState) -> None:
    """The bot ends with a job in this state; the next one posts its one result, of one job at Studii."""

    async def reached() -> bool:
        return bool(await stage.app.db.read(queries.in_states, [state]))

    card = await maya.command("virtual-staging", image=photo())
    await until(reached, f"the job to be {state}")
    await stage.restart()
    await maya.result_of(card)
    (posted,) = results(stage)
    (job,) = stage.studii.jobs.values()
    assert await posted.attachments[0].read() == (await stage.studii.output_of(job.id)).data
    spent = await spending.budget(stage.app.services, stage.world.guild.id)
    assert (spent.usage.settled, spent.usage.reserved) == (job.charged, 0)


def results(stage: Stage) -> list[discord.Message]:
    """The messages with an output in them."""
    return [message for message in stage.world.channel.history() if message.attachments]


async def all_at_once(stage: Stage, number: int, **options: str) -> list[InteractionResult]:
    """Commands of as many members, none of which waits for another."""
    world = stage.world
    backend = world.env.backend
    command = backend.find_command("studio", world.guild.id, type=1)
    assert command is not None
    records: list[Interaction] = []
    async with world.turn:
        for one in range(number):
            member = world.guild.add_member(world.env.create_user(f"member{one}"))
            data = {
                "id": command["id"],
                "name": "studio",
                "type": 1,
                "options": [{"type": 3, "name": name, "value": value} for name, value in options.items()],
            }
            record, payload = base_payload(
                backend,
                type=2,
                channel_id=world.channel.id,
                guild_id=world.guild.id,
                user_id=member.id,
                data=data,
            )
            records.append(record)
            backend.emit("INTERACTION_CREATE", payload)
        await world.env.settle()
    return [InteractionResult(world.env, record) for record in records]
