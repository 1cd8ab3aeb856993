"""The engine hears from the storage what services change, right after the commit."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.jobs import holds
from bot.jobs.models import JobState
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, privacy, settings
from bot.servers.key_entry import forget
from tests.support.services import cancel
from tests.support.world import GUILD, ServicesWorld

ALONE = {"job", "posts", "lanes"}  # of which one part of the engine hears


async def set_log_channel(world: ServicesWorld) -> None:
    await world.services.db.write(settings.set_log, GUILD, 5)


async def forget_the_key(world: ServicesWorld) -> None:
    key = await world.services.db.read(keys.current, GUILD)
    assert key is not None
    await world.services.db.write(forget, GUILD, key.id, world.clock.now())


async def try_the_key_again(world: ServicesWorld) -> None:
    assert await world.services.db.write(holds.try_again, GUILD, world.clock.now())


async def leave(world: ServicesWorld) -> None:
    await world.services.db.write(privacy.left, GUILD, world.clock.now())


@pytest.mark.parametrize("change", [set_log_channel, forget_the_key, try_the_key_again, leave])
async def test_what_is_no_jobs_change_has_the_engine_read_everything(
    world: ServicesWorld, change: Callable[[ServicesWorld], Awaitable[None]]
) -> None:
    await world.ready()
    now, key = world.clock.now(), await world.services.db.read(keys.current, GUILD)
    assert key is not None
    refused, later = Reason(ReasonCode.KEY_REFUSED), now + timedelta(hours=1)
    await world.services.db.write(holds.put_hold, GUILD, key.id, refused, later)
    world.told.clear()
    await change(world)
    assert any(one[0] not in ALONE for wakes in world.told for one in wakes)


async def test_a_job_that_is_cancelled_is_named(world: ServicesWorld) -> None:
    await world.ready()
    job = await world.accept()
    world.told.clear()
    await cancel(world.services, job.id, GUILD, job.user_id)
    (wakes,) = world.told
    assert wakes["job", job.id].state is JobState.CANCELLED
    assert {one[0] for one in wakes} <= ALONE
