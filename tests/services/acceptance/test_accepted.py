"""Accepting a job: what is refused, and that money is never promised twice."""

import asyncio
import re
import sqlite3

import pytest

from bot.credits import ledger
from bot.credits.ledger import EntryKind
from bot.errors import Refused
from bot.features import approvals
from bot.jobs import holds as key_holds, queries
from bot.jobs.models import Job, JobState, MemberContext
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.servers.notices import NoticeKind
from bot.storage import Changes
from tests.services.refused import photo, refusal
from tests.services.world import (
    CHANNEL,
    GUILD,
    MAX_SOURCE,
    MEMBER,
    OTHER_GUILD,
    OTHER_MEMBER,
    PICTURE,
    ServicesWorld,
)
from tests.support import spending
from tests.support.jobs import ledger_lines
from tests.support.posts import open_posts


async def test_an_accepted_job_is_written_down_with_its_credits_reserved(world: ServicesWorld) -> None:
    await world.ready()
    job = await world.accept(source=photo(1000), private=True)
    assert re.fullmatch("[0-9a-f]{16}", job.id)
    assert (job.guild_id, job.channel_id, job.user_id) == (GUILD, CHANNEL, MEMBER)
    assert (job.state, job.version) == (JobState.RECEIVED, 1)
    assert (job.tool, job.inputs, job.variant) == ("studio", PICTURE.inputs, "mode=image quality=standard")
    assert (job.source, job.private) == (photo(1000), True)
    assert (job.estimate, job.reserved, job.settled) == (8, 8, 0)
    assert job.created_at == job.changed_at == world.clock.now()
    assert await world.services.db.read(queries.get, job.id) == job
    async with world.storage.read() as transaction:
        (line,) = await ledger_lines(transaction, job_id=job.id)
        assert (line.kind, line.amount, line.user_id) == (EntryKind.RESERVE, 8, MEMBER)
        assert await transaction.run(ledger.differing) == []


async def test_what_has_nothing_to_be_made_ready_for_waits_at_once(world: ServicesWorld) -> None:
    await world.ready()
    states = [(await world.accept()).state, (await world.accept(source=photo(1000))).state]
    async with world.storage.write() as transaction:
        key = await transaction.run(keys.current, GUILD)
        assert key is not None
        now = world.clock.now()
        await transaction.run(key_holds.put_hold, GUILD, key.id, Reason(ReasonCode.KEY_MALFORMED), now)
    states.append((await world.accept()).state)  # the one that may try the key again
    async with world.storage.write() as transaction:
        await transaction.run(key_holds.end, GUILD, world.clock.now())
    await world.services.db.write(approvals.change, GUILD, channel_id=CHANNEL, everyone=True)
    states.append((await world.accept()).state)
    assert states == [JobState.WAITING, JobState.RECEIVED, JobState.RECEIVED, JobState.RECEIVED]


async def test_the_engine_is_told_of_the_job_when_it_can_be_seen(world: ServicesWorld) -> None:
    await world.ready()
    seen: list[int] = []
    told: dict[str, Job] = {}

    def look(changes: Changes) -> None:
        connection = sqlite3.connect(world.file)
        seen.extend(connection.execute("SELECT count(*) FROM jobs").fetchone())
        connection.close()
        assert not changes.others
        told.update(changes.jobs)

    with world.storage.listening(look):
        job = await world.accept()
    assert seen == [1]
    assert told == {job.id: job}
    assert await world.services.db.read(queries.get, job.id) == job


async def test_the_last_credit_can_be_spent(world: ServicesWorld) -> None:
    await world.ready(daily=8)
    await world.accept()
    assert (await spending.budget(world.services, GUILD)).left == 0


async def test_without_a_key_an_admin_is_named_who_can_set_one(world: ServicesWorld) -> None:
    assert (
        await refusal(world) == "This server has no Studii key yet. An admin can set one with `/studii key`."
    )


async def test_a_tool_that_is_gone_is_refused_first(world: ServicesWorld) -> None:
    assert await refusal(world, tool="hologram") == "The tool “hologram” isn't available here any more."


async def test_a_photo_that_is_too_large_is_refused_with_both_sizes(world: ServicesWorld) -> None:
    assert await refusal(world, source=photo(MAX_SOURCE + 1)) == (
        "That photo is 25.1 MB. The limit is 25 MB. Send a smaller one, or ask the bot's "
        "operator to raise MAX_SOURCE_MB."
    )


async def test_a_photo_as_large_as_allowed_is_taken(world: ServicesWorld) -> None:
    await world.ready()
    assert (await world.accept(source=photo(MAX_SOURCE))).source == photo(MAX_SOURCE)


async def test_a_refusal_leaves_nothing_behind(world: ServicesWorld) -> None:
    await world.ready(daily=7)
    await refusal(world)
    assert await world.jobs() == []
    assert world.told == []
    async with world.storage.read() as transaction:
        assert await ledger_lines(transaction) == []


@pytest.mark.driver_thread
async def test_fifty_at_once_on_a_budget_with_room_for_five_are_five(world: ServicesWorld) -> None:
    await world.ready(daily=40)
    outcomes = await asyncio.gather(*(world.accept() for _ in range(50)), return_exceptions=True)
    accepted = [one for one in outcomes if isinstance(one, Job)]
    assert len(accepted) == len({job.id for job in accepted}) == 5
    assert sum(isinstance(one, Refused) for one in outcomes) == 45
    assert (await spending.budget(world.services, GUILD)).left == 0


async def test_servers_do_not_spend_each_others_budgets(world: ServicesWorld) -> None:
    await world.ready(daily=8)
    await world.ready(OTHER_GUILD, daily=8)
    await world.accept()
    await world.accept(guild_id=OTHER_GUILD)
    await refusal(world)
    await refusal(world, guild_id=OTHER_GUILD)


async def test_members_share_the_servers_budget(world: ServicesWorld) -> None:
    await world.ready(daily=8)
    await world.accept()
    await refusal(world, user_id=OTHER_MEMBER)


async def test_what_a_job_did_not_cost_is_free_again(world: ServicesWorld) -> None:
    await world.ready(daily=8)
    await world.finish(await world.accept(), charge=0)
    await world.accept()


async def test_inputs_outside_of_the_catalogue_reserve_the_dearest_charge_seen(world: ServicesWorld) -> None:
    await world.ready()
    await world.learn(5)
    await world.learn(12, "mode=image quality=high")
    await world.learn(40, "mode=video quality=high")
    job = await world.accept(inputs={**PICTURE.inputs, "quality": "ultra"})
    assert (job.estimate, job.variant) == (12, "mode=image quality=ultra")
    job = await world.accept(inputs={**PICTURE.inputs, "mode": "panorama"})
    assert job.estimate == 40
    assert job.price_learned is False


async def test_inputs_that_the_catalogue_does_not_have_reserve_the_dearest_and_teach_no_other_price(
    world: ServicesWorld,
) -> None:
    await world.ready()
    await world.learn(5)
    await world.learn(12, "mode=image quality=high")
    extra = {**PICTURE.inputs, "upscale": "4x"}
    job = await world.accept(inputs=extra, context=MemberContext(manages=True))
    assert (job.estimate, job.variant) == (12, "mode=image quality=standard upscale=4x")
    await world.learn(50, job.variant)
    assert (await world.accept()).estimate == 5


async def test_a_lowered_budget_holds_at_once(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    await world.accept()
    await world.budget(7)
    await refusal(world)
    await world.budget(16)
    await world.accept()


@pytest.mark.driver_thread
async def test_fifty_at_once_warn_of_the_budget_once_each(world: ServicesWorld) -> None:
    await world.ready(daily=40)
    await asyncio.gather(*(world.accept() for _ in range(50)), return_exceptions=True)
    async with world.storage.read() as transaction:
        kinds = [notice.kind for notice in await transaction.run(open_posts)]
    assert kinds == [NoticeKind.BUDGET_80, NoticeKind.BUDGET_100]
