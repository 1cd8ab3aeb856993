"""What could not be posted where it was asked for is posted where its requester asks for it."""

import io
from pathlib import Path

import pytest
from PIL import Image
from simcord import InteractionResult

from bot.jobs import queries
from bot.jobs.models import JobState
from sandbox.photos import empty_room
from sandbox.studii import Options, StudiiServer
from tests.support import spending
from tests.support.desk import started
from tests.support.simulated.people import Person, text_of, until
from tests.support.simulated.stage import Stage, open_stage

ROOM = ("room.jpg", empty_room((320, 240)))


async def kept(stage: Stage, maya: Person) -> None:
    """Maya's room was staged; neither the channel nor her DMs took the result."""
    card = await maya.command("virtual-staging", image=ROOM)
    assert started(card)

    async def given_up() -> bool:
        (job,) = await stage.app.db.read(queries.in_states, list(JobState))
        return job.announced_at is not None

    await until(given_up, "the result to be kept")


async def pressed(stage: Stage, maya: Person, label: str) -> InteractionResult:
    listed = await maya.command("jobs")
    assert listed.response is not None
    async with stage.world.turn:
        return await maya.actor.click(listed.response, label=label)


@pytest.mark.promise
async def test_a_kept_result_is_posted_with_its_photo_before_once_and_for_nothing_more(
    tmp_path: Path,
) -> None:
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        open_stage(studii, tmp_path) as stage,
    ):
        admin, maya = Person(stage, stage.world.admin), Person(stage, stage.world.maya)
        await admin.set_key(studii.add_key().secret)
        env, channel = stage.world.env, stage.world.channel
        env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=1)
        env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=1)
        await kept(stage, maya)
        assert not [one for one in channel.history() if one.attachments]
        await stage.restart()  # it is kept whatever happens meanwhile

        await pressed(stage, maya, "Post here")

        def posted() -> bool:
            return any(one.attachments for one in channel.history())

        await until(posted, "the result in the channel")
        message = channel.history()[-1]
        after, before = [await one.read() for one in message.attachments]
        (job,) = studii.jobs.values()
        assert after == (await studii.output_of(job.id)).data
        assert Image.open(io.BytesIO(before)).size == (320, 240)
        assert f"<@{maya.actor.id}>" in text_of(message)
        assert {"Edit", "Full size", "More…"} <= set(text_of(message).splitlines())
        budget = await spending.budget(stage.app.services, stage.world.guild.id)
        assert (budget.usage.settled, budget.usage.reserved) == (job.charged, 0)

        async def noted() -> bool:
            listed = await maya.command("jobs")
            return "Post here" not in text_of(listed.response)

        await until(noted, "the list to know that it is posted")
        again = await maya.press(message, "Run again")
        await maya.result_of(again)
        assert len(studii.jobs) == 2
