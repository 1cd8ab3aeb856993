"""What is kept of accepted jobs and their cards."""

from bot.jobs import cards, queries, transitions
from bot.jobs.cards import CardShown, note_shown
from bot.jobs.models import JobState
from bot.storage import Changes
from tests.services.world import ServicesWorld


async def test_a_job_that_nobody_knows_is_none(world: ServicesWorld) -> None:
    assert await world.services.db.read(queries.get, "0" * 16) is None


async def test_a_card_that_was_shown_is_known_and_the_engine_is_told(world: ServicesWorld) -> None:
    await world.ready()
    job = await world.accept()
    told: list[Changes] = []
    with world.storage.listening(told.append):
        await world.services.db.write_together(note_shown, CardShown(job.id, 555, 1))
    kept = await world.services.db.read(queries.get, job.id)
    assert kept is not None
    assert (kept.card_message_id, kept.card_version, kept.version) == (555, 1, 1)
    assert [one.jobs for one in told] == [{job.id: kept}]


async def test_a_job_that_moved_on_before_its_card_was_known_gets_it_brought_up_to_date(
    world: ServicesWorld,
) -> None:
    await world.ready()
    job = await world.accept()
    async with world.storage.write() as transaction:
        await transaction.run(
            transitions.advance, job.id, JobState.WAITING, JobState.SUBMITTING, at=world.clock.now()
        )
        assert await transaction.run(cards.stale, 10) == []
    await world.services.db.write_together(note_shown, CardShown(job.id, 555, 1))
    async with world.storage.read() as transaction:
        assert [stale.id for stale in await transaction.run(cards.stale, 10)] == [job.id]
