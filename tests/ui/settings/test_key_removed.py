"""The key's end: forgotten by an admin, or unreadable."""

import pytest
from sqlalchemy import update

from bot.domain.guilds import Plan
from bot.jobs import queries
from bot.jobs.models import JobState
from bot.servers import keys
from bot.servers.key_entry import lost
from bot.servers.keys import StudiiKey
from tests.support.desk import Desk, labelled, texts
from tests.support.settings import admin
from tests.ui.settings.shown import message


async def test_forgetting_the_key_asks_first_cancels_what_waits_and_lets_running_jobs_end(
    desk: Desk,
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="one")
    going = await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    await desk.maya.slash(desk.channel, "studio", prompt="two")
    waiting = await desk.job()
    asked = await admin(desk, "forget-key")
    assert "Waiting jobs are cancelled at no cost" in texts(asked)
    assert await desk.services.db.read(keys.current, desk.guild.id) is not None  # nothing has happened yet
    await desk.admin.click(message(asked), label="Remove key")
    assert (
        "The key is removed. 1 waiting job was cancelled at no cost. 1 running job will still be posted."
        in texts(asked)
    )
    assert await desk.services.db.read(keys.current, desk.guild.id) is None
    cancelled = await desk.services.db.read(queries.get, waiting.id)
    still = await desk.services.db.read(queries.get, going.id)
    assert cancelled is not None
    assert (cancelled.state, cancelled.reserved, cancelled.settled) == (JobState.CANCELLED, 0, 0)
    assert still is not None
    assert still.state is JobState.RUNNING
    assert "no Studii key" in texts(await desk.maya.slash(desk.channel, "studio", prompt="three"))


async def test_only_the_key_that_was_asked_about_is_forgotten(desk: Desk) -> None:
    """Another admin may have set a new one while the question stood there."""
    asked = await admin(desk, "forget-key")
    old = labelled(asked, "Remove key")
    new = await desk.services.keys.set_key(desk.guild.id, "stu_another0123456789", Plan.TEAM, None)
    told = await desk.admin.click(message(asked), custom_id=old)
    assert "This server has a different key now" in texts(told)
    assert await desk.services.db.read(keys.current, desk.guild.id) == new


async def test_without_jobs_no_jobs_are_counted(desk: Desk) -> None:
    asked = await admin(desk, "forget-key")
    await desk.admin.click(message(asked), label="Remove key")
    assert "✅ The key is removed.\n" in texts(asked)


@pytest.mark.promise
async def test_keeping_the_key_after_all_changes_nothing(desk: Desk) -> None:
    asked = await admin(desk, "forget-key")
    await desk.admin.click(message(asked), label="Keep key")
    assert await desk.services.db.read(keys.current, desk.guild.id) is not None


@pytest.mark.promise
async def test_a_lost_encryption_key_asks_each_admin_once(desk: Desk) -> None:
    assert await desk.services.db.write(lost, desk.services.vault) == []
    unreadable = update(StudiiKey).values(ciphertext=b"sealed with a key that is gone")
    await desk.services.db.write(lambda session: session.execute(unreadable))
    assert "can't be read any more" in texts(await desk.admin.slash(desk.channel, "studii setup"))
    assert await desk.services.db.write(lost, desk.services.vault) == [desk.guild.id]
    assert await desk.services.db.write(lost, desk.services.vault) == []
