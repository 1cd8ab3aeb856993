"""However the hold of a key ends, nothing of it stays: what was told of it can be told anew."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot import posts
from bot.jobs import holds as key_holds
from bot.jobs.models import FailureCode, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers.notices import NoticeKind
from tests.engine.world import GUILD, a_job, engine_world
from tests.support.database import given

DAY = 86_400.0  # seconds
# Studii may word it differently each time.
REFUSED_THEN = Reason(ReasonCode.KEY_REFUSED, {"detail": "Revoked by its owner."})
REFUSED, SHORT = Reason(ReasonCode.KEY_REFUSED), Reason(ReasonCode.OUT_OF_CREDITS)


@pytest.mark.parametrize("ending", ["a job is taken", "a running job is told of", "a key is set"])
async def test_each_ending_lets_everything_go_on_and_forgets_what_was_told(
    tmp_path: Path, ending: str
) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        waits, runs = await world.accept(a_job()), await world.accept(a_job())
        await world.put(waits, JobState.WAITING)
        runs = await world.put(runs, JobState.RUNNING, studii_id="x", key_id=key.id)
        now = world.clock.now()
        later, long_ago = now + timedelta(minutes=5), now - timedelta(days=1)
        for reason in (SHORT, REFUSED_THEN):
            await world.db.write(given(key_holds.hold, key, reason, later, now, oldest=long_ago))
        refused = await world.db.write(given(key_holds.hold_running, runs.id, key, REFUSED, later, now))
        assert refused is not None
        held = await world.job(waits.id)
        assert held.held is not None
        assert held.waits_until(key.id) == later
        if ending == "a job is taken":
            await world.db.write(key_holds.end, GUILD, now)
        elif ending == "a running job is told of":
            await world.db.write(key_holds.works_again, refused.id, now)
        else:
            await world.db.write(given(key_holds.end, GUILD, now, key=key))
        assert await world.db.read(given(key_holds.of_key, key)) is None
        for kind in (NoticeKind.KEY_REFUSED, NoticeKind.OUT_OF_CREDITS):
            assert not await world.db.read(posts.known, GUILD, kind, str(key.id))
        waiting, running = await world.job(waits.id), await world.job(runs.id)
        assert (waiting.held, waiting.not_before) == (None, None)
        assert running.not_before is None or running.not_before <= now


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
                given(key_holds.hold, key, REFUSED, at + timedelta(minutes=5), at, oldest=oldest)
            )
            return (await world.job(old.id)).state

        assert await refused(0) is JobState.WAITING
        assert await refused(300) is JobState.WAITING
        assert await refused(DAY - 1) is JobState.WAITING
        assert await refused(DAY + 1) is JobState.FAILED
        assert (await world.job(old.id)).failure is FailureCode.KEY
        await world.balanced()
