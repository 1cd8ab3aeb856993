"""One job asks for a price that was not seen with a key; the others are corrected before they go."""

from pathlib import Path

import pytest

from bot.credits import charges
from bot.credits.ledger import EntryKind
from bot.credits.limits import AllowanceScope
from bot.domain.guilds import Plan
from bot.jobs.models import FailureCode, JobState
from bot.ui.kit.reasons import reason_words
from sandbox.studii import Key, Outcome, faults
from tests.engine.lanes.priced import ASSUMED, PRICE, VIDEO, Gate, accept, arrived, budget, ended, left
from tests.engine.world import GUILD, USER, EngineWorld, engine_world
from tests.support import spending
from tests.support.jobs import ledger_lines
from tests.support.services import cancel

OTHER_GUILD = 101


async def change_key(world: EngineWorld, key: Key) -> None:
    """As an admin does."""
    await world.services.keys.set_key(GUILD, key.secret, Plan.TEAM, None)


async def test_jobs_whose_price_turns_out_higher_are_corrected_and_the_newest_end_unpaid(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await budget(world, 500)
        jobs = await accept(world, 50)
        assert len(jobs) == 12
        world.studii.next_job(Outcome(charge=PRICE), times=12)
        async with world.running():
            done = await ended(world, jobs)
        assert [job.state for job in done] == [JobState.SUCCEEDED] * 4 + [JobState.FAILED] * 8
        assert [job.settled for job in done] == [PRICE] * 4 + [0] * 8
        assert {job.failure for job in done[4:]} == {FailureCode.BUDGET}
        assert reason_words(done[4].failure_text) == (
            "This costs 120 credits, more than the 40 reserved, and the server's budget is too low "
            "for it. An admin can raise it with `/studii budget`."
        )
        assert await left(world) == 500 - 4 * PRICE
        assert world.studii.requests.count("create") == 4
        async with world.storage.read() as transaction:
            lines = await ledger_lines(transaction, job_id=jobs[-1].id)
        assert [(line.kind, line.amount) for line in lines] == [
            (EntryKind.RESERVE, ASSUMED),
            (EntryKind.CORRECT, PRICE - ASSUMED),
            (EntryKind.RELEASE, PRICE),
        ]
        await world.balanced()


async def test_a_small_budget_is_exceeded_by_one_job_at_most(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        jobs = await accept(world, 50)  # nobody has set a budget: 100 a day
        assert len(jobs) == 2
        world.studii.next_job(Outcome(charge=PRICE), times=2)
        async with world.running():
            done = await ended(world, jobs)
        assert [job.settled for job in done] == [PRICE, 0]
        assert -await left(world) == PRICE - 100 <= PRICE - ASSUMED
        assert await accept(world, 1) == []


async def test_one_is_sent_while_the_price_is_unknown_and_all_that_may_be_afterwards(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await budget(world, 1000)
        jobs = await accept(world, 6)
        first, others = Gate(), Gate()
        world.studii.fail("create", first, times=1)
        world.studii.fail("create", others, times=5)
        async with world.running():
            await arrived(world, first)
            other = (await accept(world, 1, inputs={**VIDEO, "mode": "image"}))[0]
            others.opened.set()
            await world.announced(other.id)  # another price does not wait for this one
            others.opened.clear()
            assert (first.inside, others.inside) == (1, 0)
            first.opened.set()

            async def all_there() -> bool:
                return others.inside == 4

            await world.until(all_there, "four more at once")
            others.opened.set()
            await ended(world, jobs)
        assert others.most == 4


async def test_a_cheaper_price_frees_what_was_reserved_and_ends_nothing(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        jobs = await accept(world, 2)
        await budget(world, 10)  # lowered meanwhile: what was accepted goes on
        world.studii.next_job(Outcome(charge=5), times=2)
        async with world.running():
            done = await ended(world, jobs)
        assert [job.settled for job in done] == [5, 5]
        assert await left(world) == 0


@pytest.mark.promise
async def test_when_the_first_fails_or_its_answer_is_lost_the_next_one_asks(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await budget(world, 160)
        jobs = await accept(world, 4)
        world.studii.fail("create", faults.error(400, "No kites."), times=1)
        world.studii.fail("create", faults.DropBefore(), times=1)
        world.studii.next_job(Outcome(charge=PRICE), times=2)
        async with world.running():
            done = await ended(world, jobs)
        refused, lost, first, shed = done
        assert (refused.state, refused.settled) == (JobState.FAILED, 0)
        assert (first.state, first.settled) == (JobState.SUCCEEDED, PRICE)
        assert (shed.state, shed.failure) == (JobState.FAILED, FailureCode.BUDGET)
        assert lost.state is JobState.UNKNOWN
        # It has probably cost what the next one did.
        assert (await world.job(lost.id)).reserved == PRICE
        await world.balanced()


async def test_the_first_is_cancelled_while_it_is_tried_again_and_another_asks(tmp_path: Path) -> None:
    async with engine_world(
        tmp_path, backoff=30.0, backoff_bound=30.0, key_retries=(30.0,), paced_for=0.1
    ) as world:
        await world.use_key(world.studii.add_key())
        jobs = await accept(world, 2)
        world.studii.fail("create", faults.error(500), times=1)
        async with world.running():
            done = await world.announced(jobs[1].id)  # it does not wait for the first one's second try
            assert done.job.state is JobState.SUCCEEDED
            await cancel(world.services, jobs[0].id, GUILD, USER)


async def test_a_stop_in_the_middle_leaves_one_unknown_and_the_next_one_asks(tmp_path: Path) -> None:
    async with engine_world(tmp_path, drain=0.1) as world:
        await world.use_key(world.studii.add_key())
        await budget(world, 1000)
        jobs = await accept(world, 3)
        gate = Gate()
        world.studii.fail("create", gate, times=1)
        world.studii.next_job(Outcome(charge=PRICE), times=3)
        async with world.running():
            await arrived(world, gate)
        assert [(await world.job(job.id)).state for job in jobs].count(JobState.SUBMITTING) == 1
        gate.opened.set()
        async with world.running():
            done = await ended(world, jobs)
        assert [job.state for job in done] == [JobState.UNKNOWN, JobState.SUCCEEDED, JobState.SUCCEEDED]
        assert [(await world.job(job.id)).reserved for job in jobs] == [PRICE, 0, 0]
        await world.balanced()


async def test_servers_with_one_key_learn_together_and_each_keeps_to_its_own_budget(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = world.studii.add_key()
        await world.use_key(key)
        await world.use_key(key, OTHER_GUILD)
        await budget(world, 400)
        await budget(world, 130, OTHER_GUILD)
        mine = await accept(world, 3)
        theirs = await accept(world, 50, guild_id=OTHER_GUILD, user_id=USER + 1)
        assert (len(mine), len(theirs)) == (3, 3)
        world.studii.next_job(Outcome(charge=PRICE), times=6)
        async with world.running():
            done = await ended(world, mine + theirs)
        assert [job.settled for job in done] == [PRICE] * 3 + [PRICE, 0, 0]
        assert await left(world) == 40
        assert await left(world, OTHER_GUILD) == 10


async def test_what_an_allowance_has_no_room_for_ends_too(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await budget(world, 10_000)
        await spending.set_limits(world.services, GUILD, allowance=(AllowanceScope.MEMBERS, 0, 40))
        await spending.set_limits(world.services, GUILD, allowance=(AllowanceScope.ROLE, 7, 250))
        poor = await accept(world, 50, user_id=1)
        rich = await accept(world, 50, user_id=2, roles=frozenset({7}))
        assert (len(poor), len(rich)) == (1, 6)
        world.studii.next_job(Outcome(charge=PRICE), times=9)
        async with world.running():
            done = await ended(world, rich)
            (first,) = await ended(world, poor)
        assert [job.settled for job in done] == [PRICE, PRICE, 0, 0, 0, 0]
        assert "your allowance is too low for it" in reason_words(done[2].failure_text)
        assert first.settled in (0, PRICE)  # it may have been the one that asked


async def test_another_key_is_asked_anew(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        old = await world.use_key(world.studii.add_key())
        await budget(world, 1000)
        async with world.storage.write() as transaction:
            await transaction.run(
                charges.learn, old.lane, "studio", "mode=video quality=standard", 3, world.clock.now()
            )
        jobs = await accept(world, 3)
        assert [(job.estimate, job.price_learned) for job in jobs] == [(3, True)] * 3
        await change_key(world, world.studii.add_key())
        waiting = [await world.job(job.id) for job in jobs]
        assert [(job.reserved, job.price_learned) for job in waiting] == [(ASSUMED, False)] * 3
        gate = Gate()
        world.studii.fail("create", gate, times=3)
        world.studii.next_job(Outcome(charge=PRICE), times=3)
        async with world.running():
            await arrived(world, gate)
            gate.opened.set()
            done = await ended(world, jobs)
        assert [job.settled for job in done] == [PRICE] * 3


async def test_a_price_that_rises_corrects_what_still_waits(tmp_path: Path) -> None:
    async with engine_world(tmp_path, starts_in_flight=1) as world:
        key = await world.use_key(world.studii.add_key())
        async with world.storage.write() as transaction:
            await transaction.run(
                charges.learn, key.lane, "studio", "mode=video quality=standard", 10, world.clock.now()
            )
        jobs = await accept(world, 50)
        assert len(jobs) == 10
        world.studii.next_job(Outcome(charge=100), times=10)
        async with world.running():
            done = await ended(world, jobs)
        assert [job.settled for job in done] == [100] + [0] * 9
        assert await left(world) == 0


async def test_a_job_whose_price_was_learned_behind_its_back_is_corrected_before_it_is_sent(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        jobs = await accept(world, 2)
        async with world.storage.write() as transaction:
            await transaction.run(
                charges.learn, key.lane, "studio", "mode=video quality=standard", 90, world.clock.now()
            )
        world.studii.next_job(Outcome(charge=90), times=2)
        async with world.running():
            done = await ended(world, jobs)
        assert sorted(job.settled for job in done) == [0, 90]
        assert await left(world) == 10


async def test_it_is_told_that_one_job_goes_first(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        first, second = await accept(world, 2)
        gate = Gate()
        world.studii.fail("create", gate, times=2)
        async with world.running() as engine:

            async def told() -> bool:
                return (await engine.progress(second.id)).waits_for_price

            await world.until(told, "the second one to be told why it waits")
            assert not (await engine.progress(first.id)).waits_for_price
            gate.opened.set()
            await ended(world, [first, second])
