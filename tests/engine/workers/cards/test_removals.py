"""A posting takes its card's place: first it is stored, then the card is removed."""

from functools import partial
from pathlib import Path

import pytest

from bot.features import posting
from bot.jobs import cards, transitions
from bot.jobs.cards import CardShown
from bot.jobs.models import Job, JobState
from bot.posts import NotHere
from tests.engine.world import GUILD, EngineWorld, a_job, engine_world
from tests.support.jobs import settle_job


async def with_card(world: EngineWorld) -> Job:
    job = await world.accept(a_job())
    async with world.storage.write() as transaction:
        await transaction.run(transitions.change, job.id, card_message_id=77, card_version=1)
    return job


async def has_no_card(world: EngineWorld, job_id: str) -> bool:
    job = await world.job(job_id)
    return job.announced_at is not None and job.card_message_id is None and job.card_superseded_at is None


@pytest.mark.promise
async def test_a_card_is_removed_once_its_posting_is_stored_and_says_nothing_of_the_end(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path, card_again=0.3) as world:
        await world.use_key(world.studii.add_key())
        job = await with_card(world)
        world.discord.card_removal_answers = [0.01, 0.01]  # Discord is busy, twice
        async with world.running():
            await world.until(partial(has_no_card, world, job.id), "the card to be gone")
        assert [one.card_message_id for one in world.discord.removed_cards] == [77] * 3
        assert {one.result_message_id for one in world.discord.removed_cards} == {9001}
        assert not [one for one, _ in world.discord.cards if one.over]


async def test_a_card_whose_removal_was_not_stored_is_removed_after_the_restart(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        job = await world.accept(a_job())
        now = world.clock.now()
        async with world.storage.write() as transaction:
            await transaction.run(settle_job, job.id, 0, now)
            await transaction.run(transitions.advance, job.id, JobState.RECEIVED, JobState.CANCELLED, at=now)
            await transaction.run(transitions.change, job.id, announced_at=now, result_message_id=9001)
            await transaction.run(
                transitions.change, job.id, card_message_id=77, card_version=1, card_superseded_at=now
            )
        async with world.running():
            await world.until(partial(has_no_card, world, job.id), "the card to be gone")
        assert [one.card_message_id for one in world.discord.removed_cards] == [77]
        assert not world.discord.said


async def test_a_card_that_is_shown_after_its_posting_is_removed_as_well(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        async with world.running():
            await world.announced(job.id)
            async with world.storage.write() as transaction:  # the answer to a command that took long
                await transaction.run(cards.note_shown, [CardShown(job.id, 77, 1)])
            await world.until(partial(has_no_card, world, job.id), "the card to be gone")
        assert [one.card_message_id for one in world.discord.removed_cards] == [77]


@pytest.mark.parametrize("by_dm", [True, False])
async def test_a_card_that_has_something_to_say_stays_and_says_it(tmp_path: Path, *, by_dm: bool) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await with_card(world)
        if by_dm:
            world.discord.answers = [NotHere("nobody may post there")]
        else:
            await world.storage.db.write(posting.change, GUILD, keeps_cards=True)

        async def told() -> bool:
            return any(one.announced_at is not None for one, _ in world.discord.cards)

        async with world.running():
            await world.until(told, "the card to say where the result is")
        shown = world.discord.cards[-1][0]
        assert (shown.result_message_id, shown.result_by_dm) == (None if by_dm else 9001, by_dm)
        assert not world.discord.removed_cards
