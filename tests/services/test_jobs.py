"""Accepting a job: what is refused and in which words, and that money is never promised twice."""

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain import EntryKind, Job, JobState, LogSettings, NoticeKind, Period, SourcePhoto
from bot.domain.access import MemberContext
from bot.domain.limits import AllowanceScope
from bot.errors import Busy, Refused
from bot.reasons import Reason, ReasonCode
from bot.services import ApprovalChanges
from bot.services.acceptance import batches
from bot.storage import Changes
from tests.services.conftest import (
    CHANNEL,
    GUILD,
    MAX_SOURCE,
    MEMBER,
    OTHER_GUILD,
    OTHER_MEMBER,
    PICTURE,
    World,
)

CHANGE_BUDGET = "An admin can change the budget with `/studii budget`."


async def refusal(world: World, **changes: Any) -> str:
    with pytest.raises(Refused) as caught:
        await world.accept(**changes)
    return str(caught.value)


def unix(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def photo(size: int) -> SourcePhoto:
    return SourcePhoto("https://cdn.discordapp.com/attachments/1/2/room.png", "room.png", "image/png", size)


# Accepted


async def test_an_accepted_job_is_written_down_with_its_credits_reserved(world: World) -> None:
    await world.ready()
    job = await world.accept(source=photo(1000), private=True)
    assert re.fullmatch("[0-9a-f]{16}", job.id)
    assert (job.guild_id, job.channel_id, job.user_id) == (GUILD, CHANNEL, MEMBER)
    assert (job.state, job.version, job.card_version) == (JobState.RECEIVED, 1, 0)
    assert (job.tool, job.inputs, job.variant) == ("studio", PICTURE.inputs, "mode=image quality=standard")
    assert (job.source, job.private) == (photo(1000), True)
    assert (job.estimate, job.reserved, job.settled) == (8, 8, 0)
    assert job.created_at == job.changed_at == world.clock.now()
    assert await world.services.jobs.get(job.id) == job
    async with world.storage.read() as transaction:
        (line,) = await transaction.ledger.entries(job_id=job.id)
        assert (line.kind, line.amount, line.user_id) == (EntryKind.RESERVE, 8, MEMBER)
        assert await transaction.audit.everything() == []


async def test_what_has_nothing_to_be_made_ready_for_waits_at_once(world: World) -> None:
    await world.ready()
    states = [(await world.accept()).state, (await world.accept(source=photo(1000))).state]
    async with world.storage.write() as transaction:
        key = await transaction.keys.current(GUILD)
        assert key is not None
        now = world.clock.now()
        await transaction.holds.set(GUILD, key.id, Reason(ReasonCode.KEY_MALFORMED), now)
    states.append((await world.accept()).state)  # the one that may try the key again
    async with world.storage.write() as transaction:
        await transaction.holds.clear(GUILD)
    await world.services.approvals.change(GUILD, ApprovalChanges(CHANNEL, everyone=True))
    states.append((await world.accept()).state)
    assert states == [JobState.WAITING, JobState.RECEIVED, JobState.RECEIVED, JobState.RECEIVED]


async def test_the_engine_is_told_of_the_job_when_it_can_be_seen(world: World) -> None:
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
    assert await world.services.jobs.get(job.id) == job


async def test_the_last_credit_can_be_spent(world: World) -> None:
    await world.ready(daily=8)
    await world.accept()
    assert (await world.services.credits.budget(GUILD)).left == 0


async def test_a_job_that_nobody_knows_is_none(world: World) -> None:
    assert await world.services.jobs.get("0" * 16) is None


# Refused


async def test_without_a_key_an_admin_is_named_who_can_set_one(world: World) -> None:
    assert (
        await refusal(world) == "This server has no Studii key yet. An admin can set one with `/studii key`."
    )


async def test_a_tool_that_is_gone_is_refused_first(world: World) -> None:
    assert await refusal(world, tool="hologram") == "The tool “hologram” isn't available here any more."


async def test_a_photo_that_is_too_large_is_refused_with_both_sizes(world: World) -> None:
    assert await refusal(world, source=photo(MAX_SOURCE + 1)) == (
        "That photo is 25.1 MB. The limit is 25 MB. Send a smaller one, or ask the bot's "
        "operator to raise MAX_SOURCE_MB."
    )


async def test_a_photo_as_large_as_allowed_is_taken(world: World) -> None:
    await world.ready()
    assert (await world.accept(source=photo(MAX_SOURCE))).source == photo(MAX_SOURCE)


async def test_a_refusal_leaves_nothing_behind(world: World) -> None:
    await world.ready(daily=7)
    await refusal(world)
    assert await world.jobs() == []
    assert world.told == []
    async with world.storage.read() as transaction:
        assert await transaction.ledger.entries() == []


async def test_a_spent_budget_says_what_it_would_cost_what_is_left_and_when_it_renews(world: World) -> None:
    await world.ready(daily=11)
    await world.accept()
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and the server has 3 of 11 credits left today. "
        f"The budget renews <t:{unix(2026, 3, 3)}:R>. {CHANGE_BUDGET}"
    )


async def test_a_learned_price_is_told_as_learned(world: World) -> None:
    await world.ready(daily=28)
    assert (await world.accept(user_id=OTHER_MEMBER)).price_learned is False
    await world.learn(12)
    assert (await world.accept()).price_learned is True
    said = "Not enough credits: this costs 12 credits, and the server has 8 of 28 credits left today."
    assert (await refusal(world)).startswith(said)


@pytest.mark.parametrize(
    ("period", "words", "renews"),
    [
        (Period.WEEK, "this week", unix(2026, 3, 9)),
        (Period.MONTH, "this month", unix(2026, 4, 1)),
    ],
)
async def test_longer_periods_are_called_by_their_name(
    world: World, period: Period, words: str, renews: int
) -> None:
    await world.ready()
    await world.budget(8, period)
    await world.accept()
    said = await refusal(world)
    assert f"the server has 0 of 8 credits left {words}. The budget renews <t:{renews}:R>." in said


async def test_a_one_off_total_never_promises_to_renew(world: World) -> None:
    await world.ready()
    await world.budget(10, Period.TOTAL)
    job = await world.accept()
    cost = "Not enough credits: this costs about 8 credits, and the server has 2 of 10 credits left."
    said = await refusal(world)
    assert said == f"{cost} Credits may free up when running jobs finish. {CHANGE_BUDGET}"
    await world.finish(job, charge=8)
    said = await refusal(world)
    assert said == f"{cost} It's a one-off total and doesn't renew. {CHANGE_BUDGET}"


async def test_nobody_is_told_to_wait_for_a_budget_that_will_never_do(world: World) -> None:
    await world.ready(daily=5)
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and the server has 5 of 5 credits left today. "
        f"The daily budget of 5 credits is below the price. {CHANGE_BUDGET}"
    )


async def test_nobody_waits_for_the_next_period_when_only_a_grant_made_this_one_large_enough(
    world: World,
) -> None:
    await world.ready(daily=5)
    await world.services.limits.grant(GUILD, None, 5)
    await world.finish(await world.accept(), charge=8)
    said = await refusal(world)
    assert "2 of 10 credits left today. The daily budget of 5 credits is below the price." in said


async def test_an_allowance_that_will_never_do_says_so_and_who_can_raise_it(world: World) -> None:
    await world.ready(daily=100)
    await world.services.limits.set(GUILD, allowance=(AllowanceScope.MEMBERS, 0, 6))
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and your allowance has 6 of 6 credits left today. "
        "The daily allowance of 6 credits is below the price. "
        "An admin can change this with `/studii allowance`."
    )


@pytest.mark.driver_thread
async def test_a_crowded_database_says_busy_and_takes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready()
    monkeypatch.setattr(batches, "ACCEPT_PATIENCE", 0.05)
    other_process = sqlite3.connect(world.file, isolation_level=None)
    other_process.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy, match="busy right now"):
        await world.accept()
    other_process.execute("ROLLBACK")
    other_process.close()
    assert await world.jobs() == []
    assert world.told == []


async def _block(world: World) -> None:
    async with world.services.access.change(GUILD) as change:
        await change.block(MEMBER)


CHANGES: dict[str, Callable[[World], Awaitable[object]]] = {
    "budget": lambda world: world.services.credits.set_budget(GUILD, 5, None),
    "grant": lambda world: world.services.limits.grant(GUILD, None, 5),
    "limits": lambda world: world.services.limits.set(GUILD, at_once=1),
    "access": _block,
    "logs": lambda world: world.services.log_channels.set(GUILD, LogSettings(3)),
    "servers": lambda world: world.services.servers.pause(GUILD, paused=True),
    "keys": lambda world: world.services.keys.forget(GUILD, 1),
    "rulings": lambda world: world.services.rulings.release(GUILD, "0" * 16),
    "photos": lambda world: world.services.photos.turn_reactions(GUILD, None, on=True),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_admins_too_are_told_that_it_is_busy_and_nothing_was_changed(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    modules = ("credits", "limits.limits", "access", "log_channels", "servers", "keys", "rulings", "photos")
    for module in modules:
        monkeypatch.setattr(f"bot.services.{module}.COMMAND_WRITE_TIMEOUT", 0.05)
    other_process = sqlite3.connect(world.file, isolation_level=None)
    other_process.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy):
        await CHANGES[what](world)
    other_process.execute("ROLLBACK")
    other_process.close()
    assert (await world.services.credits.budget(GUILD)).whole == 100
    assert not (await world.services.access.rules(GUILD)).blocked


# Money


@pytest.mark.driver_thread
async def test_fifty_at_once_on_a_budget_with_room_for_five_are_five(world: World) -> None:
    await world.ready(daily=40)
    outcomes = await asyncio.gather(*(world.accept() for _ in range(50)), return_exceptions=True)
    accepted = [one for one in outcomes if isinstance(one, Job)]
    assert len(accepted) == len({job.id for job in accepted}) == 5
    assert sum(isinstance(one, Refused) for one in outcomes) == 45
    assert (await world.services.credits.budget(GUILD)).left == 0


async def test_servers_do_not_spend_each_others_budgets(world: World) -> None:
    await world.ready(daily=8)
    await world.ready(OTHER_GUILD, daily=8)
    await world.accept()
    await world.accept(guild_id=OTHER_GUILD)
    await refusal(world)
    await refusal(world, guild_id=OTHER_GUILD)


async def test_members_share_the_servers_budget(world: World) -> None:
    await world.ready(daily=8)
    await world.accept()
    await refusal(world, user_id=OTHER_MEMBER)


async def test_what_a_job_did_not_cost_is_free_again(world: World) -> None:
    await world.ready(daily=8)
    await world.finish(await world.accept(), charge=0)
    await world.accept()


async def test_inputs_outside_of_the_catalogue_reserve_the_dearest_charge_seen(world: World) -> None:
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
    world: World,
) -> None:
    await world.ready()
    await world.learn(5)
    await world.learn(12, "mode=image quality=high")
    extra = {**PICTURE.inputs, "upscale": "4x"}
    job = await world.accept(inputs=extra, context=MemberContext(manages=True))
    assert (job.estimate, job.variant) == (12, "mode=image quality=standard upscale=4x")
    await world.learn(50, job.variant)
    assert (await world.accept()).estimate == 5


async def test_a_day_ends_at_midnight_in_the_servers_zone(world: World) -> None:
    world.clock.set(datetime(2026, 7, 2, 3, 59, 59, tzinfo=UTC))  # New York: a second to midnight
    await world.ready(daily=8)
    async with world.storage.write() as transaction:
        await transaction.guilds.set_timezone(GUILD, "America/New_York")
    await world.accept()
    assert f"The budget renews <t:{unix(2026, 7, 2, 4)}:R>" in await refusal(world)
    world.clock.advance(1)
    await world.accept()


async def test_a_lowered_budget_holds_at_once(world: World) -> None:
    await world.ready(daily=100)
    await world.accept()
    await world.budget(7)
    await refusal(world)
    await world.budget(16)
    await world.accept()


# The card


async def test_a_card_that_was_shown_is_known_and_the_engine_is_told(world: World) -> None:
    await world.ready()
    job = await world.accept()
    told: list[Changes] = []
    with world.storage.listening(told.append):
        await world.services.jobs.card_shown(job.id, 555, 1)
    kept = await world.services.jobs.get(job.id)
    assert kept is not None
    assert (kept.card_message_id, kept.card_version, kept.version) == (555, 1, 1)
    assert [one.jobs for one in told] == [{job.id: kept}]


async def test_a_job_that_moved_on_before_its_card_was_known_gets_it_brought_up_to_date(world: World) -> None:
    await world.ready()
    job = await world.accept()
    async with world.storage.write() as transaction:
        await transaction.jobs.advance(job.id, JobState.WAITING, JobState.SUBMITTING, at=world.clock.now())
        assert await transaction.job_cards.stale_cards(10) == []
    await world.services.jobs.card_shown(job.id, 555, 1)
    async with world.storage.read() as transaction:
        assert [stale.id for stale in await transaction.job_cards.stale_cards(10)] == [job.id]


@pytest.mark.driver_thread
async def test_fifty_at_once_warn_of_the_budget_once_each(world: World) -> None:
    await world.ready(daily=40)
    await asyncio.gather(*(world.accept() for _ in range(50)), return_exceptions=True)
    async with world.storage.read() as transaction:
        kinds = [notice.kind for notice in await transaction.notices.pending(100)]
    assert kinds == [NoticeKind.BUDGET_80, NoticeKind.BUDGET_100]
