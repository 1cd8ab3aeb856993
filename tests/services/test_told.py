"""The engine hears from the storage what services change, right after the commit."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.jobs import confirm, holds, holds as key_holds
from bot.jobs.models import JobRequest, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers import departures, keys, settings
from bot.servers.key_entry import forget
from tests.services.world import GUILD, ServicesWorld
from tests.support.questions import ask
from tests.support.services import cancel

QUESTION = "0123456789abcdef"


async def set_log_channel(world: ServicesWorld) -> None:
    await world.services.db.write(settings.set_log, GUILD, 5)


async def withdraw_a_question(world: ServicesWorld) -> None:
    await world.services.db.write(confirm.withdraw, [QUESTION], world.clock.now())


async def forget_the_key(world: ServicesWorld) -> None:
    key = await world.services.db.read(keys.current, GUILD)
    assert key is not None
    await world.services.db.write(forget, GUILD, key.id, world.clock.now())


async def try_the_key_again(world: ServicesWorld) -> None:
    assert await world.services.db.write(holds.try_again, GUILD, world.clock.now())


async def leave(world: ServicesWorld) -> None:
    await world.services.db.write(departures.left, GUILD, world.clock.now())


@pytest.mark.parametrize(
    "change", [set_log_channel, withdraw_a_question, forget_the_key, try_the_key_again, leave]
)
async def test_what_is_no_jobs_change_has_the_engine_read_everything(
    world: ServicesWorld, change: Callable[[ServicesWorld], Awaitable[None]]
) -> None:
    await world.ready()
    now, key = world.clock.now(), await world.services.db.read(keys.current, GUILD)
    assert key is not None
    later = now + timedelta(hours=1)
    request = JobRequest(GUILD, 200, 300, "studio", {})
    async with world.storage.write() as transaction:
        await transaction.run(ask, QUESTION, request, now, later)
        await transaction.run(key_holds.put_hold, GUILD, key.id, Reason(ReasonCode.KEY_REFUSED), later)
    world.told.clear()
    await change(world)
    assert any(changes.others for changes in world.told)


async def test_a_job_that_is_cancelled_is_named(world: ServicesWorld) -> None:
    await world.ready()
    job = await world.accept()
    world.told.clear()
    await cancel(world.services, job.id, GUILD, job.user_id)
    (changes,) = world.told
    assert changes.jobs[job.id].state is JobState.CANCELLED
    assert not changes.others
