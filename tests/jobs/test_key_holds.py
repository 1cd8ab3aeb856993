"""Which jobs end with a key that is refused for long."""

from datetime import timedelta
from pathlib import Path

from bot.jobs import holds
from bot.jobs.models import FailureCode, JobState
from bot.reasons import Reason, ReasonCode
from tests.engine.world import a_job, engine_world
from tests.support.database import given

DAY = 86_400.0  # seconds
REFUSED = Reason(ReasonCode.KEY_REFUSED)


async def test_a_job_that_waited_for_anything_else_is_not_ended_by_the_keys_first_refusals(
    tmp_path: Path,
) -> None:
    """The bot was off for two days; then Studii refuses the key. Its jobs have not waited for the key yet."""
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        old = await world.put(await world.accept(a_job(age=2 * DAY)), JobState.WAITING)
        first = world.clock.now()

        async def refused(after: float) -> JobState:
            at = first + timedelta(seconds=after)
            oldest = at - timedelta(seconds=DAY)
            await world.db.write(
                given(holds.hold, key, REFUSED, at + timedelta(minutes=5), at, oldest=oldest)
            )
            return (await world.job(old.id)).state

        assert await refused(0) is JobState.WAITING
        assert await refused(300) is JobState.WAITING
        assert await refused(DAY - 1) is JobState.WAITING
        assert await refused(DAY + 1) is JobState.FAILED
        assert (await world.job(old.id)).failure is FailureCode.KEY
        await world.balanced()
