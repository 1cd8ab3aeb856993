"""A job's way when all goes well."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.credits.ledger import EntryKind
from bot.features import posting
from bot.jobs import transitions
from bot.jobs.delivery import Posted, TryLater
from bot.jobs.models import Job, JobState
from bot.storage import Storage
from sandbox.studii import Outcome, faults
from tests.engine.world import GUILD, a_job, a_staging_job, engine_world, png
from tests.support.clock import FakeClock
from tests.support.jobs import last_charges, ledger_lines
from tests.support.patience import PATIENCE

NEVER = 10 * PATIENCE  # seconds: a test has failed by then


async def test_a_photo_goes_to_studii_and_the_output_comes_back_byte_for_byte(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_staging_job())
        async with world.running():
            said = await world.announced(job.id)

        (upload,) = world.studii.uploads.values()
        assert upload.data == png()
        assert upload.content_type == "image/png"
        (theirs,) = world.studii.jobs.values()
        assert theirs.request.tool == "virtual-staging"
        assert theirs.request.inputs == job.inputs
        assert said.output == (await world.studii.output_of(theirs.id)).data
        assert (said.kind, said.content_type) == ("image", "image/jpeg")
        assert said.job.state is JobState.SUCCEEDED


async def test_the_ledger_is_settled_at_what_studii_charged(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(charge=23))
        job = await world.accept(a_job(estimate=10))
        async with world.running():
            await world.announced(job.id)

        done = await world.job(job.id)
        assert (done.reserved, done.settled, done.charged) == (0, 23, 23)
        async with world.storage.read() as transaction:
            entries = await ledger_lines(transaction, job_id=job.id)
            assert await last_charges(transaction, key.lane, "studio", "") == (23, 23)
        assert [(entry.kind, entry.amount) for entry in entries] == [
            (EntryKind.RESERVE, 10),
            (EntryKind.CORRECT, 13),
            (EntryKind.SETTLE, 23),
        ]
        await world.balanced()


async def test_what_the_last_answer_says_was_charged_is_what_counts(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(charge=23, final_charge=5))
        job = await world.accept(a_job(estimate=10))
        async with world.running():
            await world.announced(job.id)
        assert (await world.job(job.id)).settled == 5
        await world.balanced()


async def test_photo_and_output_are_kept_until_they_are_posted_and_no_longer(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.discord.delay = 2.0
        job = await world.accept(a_staging_job())
        async with world.running():
            await world.reaches(job.id, JobState.SUCCEEDED)
            assert world.spooled() == [f"{job.id}.output.jpg", f"{job.id}.source.png"]
            await world.announced(job.id)

            async def empty() -> bool:
                return world.spooled() == []

            await world.until(empty, "an empty spool")


@pytest.mark.promise
async def test_the_card_is_shown_each_version_and_a_place_in_line(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.discord.card_answers = [0.02, 0.02]
        await world.storage.db.write(posting.change, GUILD, keeps_cards=True)
        job = await world.accept(a_job())
        async with world.storage.write() as transaction:
            await transaction.run(transitions.change, job.id, card_message_id=77, card_version=1)
        async with world.running():
            await world.announced(job.id)

            async def up_to_date() -> bool:
                now = await world.job(job.id)
                return now.card_version == now.version

            await world.until(up_to_date, "the card to be up to date")
        assert world.discord.cards[-1][0].state is JobState.SUCCEEDED


async def test_of_a_job_that_studii_has_finished_the_card_shows_the_end_alone_and_at_once(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path, card_again=NEVER, reread_every=NEVER) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        async with world.storage.write() as transaction:
            await transaction.run(transitions.change, job.id, card_message_id=77, card_version=1)
        async with world.running():
            await world.announced(job.id)

            async def up_to_date() -> bool:
                now = await world.job(job.id)
                return now.card_version == now.version

            await world.until(up_to_date, "the card to show the end")
        shown = [job for job, _ in world.discord.cards]
        assert [one.output_url for one in shown if one.state is JobState.RUNNING and one.output_url] == []


@pytest.mark.parametrize(("again", "shown"), [(NEVER, False), (0.05, True)])
async def test_a_job_that_is_being_sent_is_shown_so_only_if_that_takes_long(
    tmp_path: Path, again: float, *, shown: bool
) -> None:
    async with engine_world(tmp_path, card_again=again) as world:
        await world.use_key(world.studii.add_key())
        held = faults.Held()
        world.studii.fail("create", held)
        job = await world.accept(a_job())
        async with world.storage.write() as transaction:
            await transaction.run(transitions.change, job.id, card_message_id=77, card_version=1)

        def sending() -> list[Job]:
            return [one for one, _ in world.discord.cards if one.state is JobState.SUBMITTING]

        async def told() -> bool:
            return bool(sending())

        async with world.running():
            await world.reaches(job.id, JobState.SUBMITTING)
            if shown:
                await world.until(told, "the card to tell of the sending")
            await asyncio.sleep(0.1)
            held.release.set()
            await world.announced(job.id)
        assert bool(sending()) is shown


async def test_the_card_of_a_result_links_it_and_is_edited_once_for_both(tmp_path: Path) -> None:
    async with engine_world(tmp_path, card_again=NEVER) as world:
        world.discord.delay = 1.0  # posting takes longer than the edit of a card
        await world.storage.db.write(posting.change, GUILD, keeps_cards=True)
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        async with world.storage.write() as transaction:
            await transaction.run(transitions.change, job.id, card_message_id=77, card_version=1)
        async with world.running():

            async def up_to_date() -> bool:
                now = await world.job(job.id)
                return now.announced_at is not None and now.card_version == now.version

            await world.until(up_to_date, "the card to show the end")
        ended = [job for job, _ in world.discord.cards if job.state is JobState.SUCCEEDED]
        assert [job.result_message_id for job in ended] == [9001]


async def test_a_card_that_nobody_stored_is_looked_for_until_it_can_not_come_any_more(tmp_path: Path) -> None:
    clock = FakeClock()
    async with engine_world(tmp_path, clock=clock) as world:
        earlier = clock.now() - timedelta(seconds=1)
        late, none = [await world.accept(replace(a_job(), created_at=earlier)) for _ in range(2)]
        answers = world.discord.lost_cards[late.id] = [TryLater(0.0), Posted(None), Posted(77)]

        async def asked_twice() -> bool:
            clock.advance(0.1)
            return len(answers) == 1

        async def settled() -> bool:
            clock.advance(0.1)
            found = (await world.job(late.id)).card_message_id is not None
            return found and (await world.job(none.id)).card_version > 0

        async with world.running():
            await world.until(asked_twice, "the card to be looked for twice")
            assert (await world.job(late.id)).card_message_id is None
            clock.advance(60)  # nobody's answer is under way for so long
            await world.until(settled, "one card to be found, and the other to be posted")
        assert (await world.job(late.id)).card_message_id == 77
        # Its person was told by Discord that the bot didn't answer, so they learn that the job runs.
        assert [job.id for job in world.discord.posted_cards] == [none.id]
        assert (await world.job(none.id)).card_message_id == 7001


async def test_a_card_of_this_life_is_not_looked_for_while_its_command_may_store_it(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        async with world.running() as engine:
            job = await world.accept(a_job())
            world.discord.lost_cards[job.id] = [Posted(77)]
            engine.wake()
            await world.announced(job.id)
        assert (await world.job(job.id)).card_message_id is None


async def test_a_video_is_delivered_as_one(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = a_job(inputs={"mode": "video", "source": "text", "prompt": "Waves"})
        await world.accept(job)
        async with world.running():
            said = await world.announced(job.id)
        assert said.kind == "video"


async def test_what_another_process_stored_is_found_when_the_engine_is_woken(tmp_path: Path) -> None:
    async with (
        engine_world(tmp_path, reread_every=NEVER) as world,
        Storage.open(f"sqlite+aiosqlite:///{tmp_path}/studii.db") as storage,
    ):
        elsewhere = replace(world, storage=storage)  # whose changes nobody tells the engine
        await world.use_key(world.studii.add_key())
        async with world.running() as engine:
            for job in (a_job(), a_staging_job()):
                await elsewhere.accept(job)
                engine.wake()
                await world.announced(job.id)
