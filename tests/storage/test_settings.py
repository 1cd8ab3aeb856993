"""Servers' settings, keys, lanes, prices and small values."""

from datetime import datetime, timedelta
from math import ceil

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import meta
from bot.credits import charges
from bot.credits.prices import charges_of, dearest
from bot.domain.guilds import Budget, Period, Plan
from bot.jobs import lanes as lane_rows
from bot.servers import keys as server_keys, settings
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings
from bot.storage import Storage
from tests.support.jobs import NOW, last_charges

LATER = NOW + timedelta(hours=1)


async def test_a_server_that_set_nothing_has_the_defaults(storage: Storage) -> None:
    async with storage.read() as transaction:
        assert await transaction.run(settings.of, 1) == GuildSettings(1)


async def test_each_setting_of_a_server_leaves_the_others_as_they_were(storage: Storage) -> None:
    async with storage.write() as transaction:
        do = transaction.run
        await do(settings.change, 1, timezone="Europe/Berlin")
        assert await do(settings.of, 1) == GuildSettings(1, own_timezone="Europe/Berlin")
        budget = Budget(0, Period.TOTAL, NOW)
        await do(settings.set_budget, 1, budget)
        key = await transaction.run(server_keys.add, 1, "lane", "abcd", Plan.TEAM, b"sealed", NOW)
        await do(settings.set_key, 1, key.id, NOW)
        kept = await do(settings.of, 1)
        assert (kept.key_id, kept.budget, kept.timezone) == (key.id, budget, "Europe/Berlin")
        await do(settings.set_key, 1, None, LATER)
        kept = await do(settings.of, 1)
        assert (kept.key_id, kept.budget, kept.timezone) == (None, budget, "Europe/Berlin")
        assert await do(settings.of, 2) == GuildSettings(2)


async def test_a_server_can_not_use_a_key_that_is_not_there(storage: Storage) -> None:
    async with storage.write() as transaction:
        with pytest.raises(IntegrityError):
            await transaction.run(settings.set_key, 1, 77, NOW)


async def test_the_current_key_is_the_one_that_the_server_set_last(storage: Storage) -> None:
    async with storage.write() as transaction:
        do = transaction.run
        assert await do(server_keys.current, 1) is None
        old = await do(server_keys.add, 1, "lane", "abcd", Plan.PRO, b"sealed", NOW)
        assert await do(server_keys.current, 1) is None
        await transaction.run(settings.set_key, 1, old.id, NOW)
        new = await do(server_keys.add, 1, "other lane", "wxyz", Plan.BUSINESS, b"sealed too", LATER)
        await transaction.run(settings.set_key, 1, new.id, LATER)
        assert await do(server_keys.current, 1) == new
        assert await do(server_keys.get, old.id) == old
        assert await do(server_keys.get, 77) is None
        assert await do(server_keys.stored) == [old, new]


def _seal(session: Session, key_id: int, ciphertext: bytes) -> None:
    key = session.get(StudiiKey, key_id)
    assert key is not None
    key.ciphertext = ciphertext


async def test_a_key_is_retired_once_and_stays_for_the_jobs_that_run_with_it(storage: Storage) -> None:
    async with storage.write() as transaction:
        do = transaction.run
        key = await do(server_keys.add, 1, "lane", "abcd", Plan.PRO, b"sealed", NOW)
        await do(server_keys.set_plan, key.id, Plan.TEAM, LATER)
        await do(_seal, key.id, b"sealed anew")
        await do(server_keys.retire, key.id, NOW)
        await do(server_keys.retire, key.id, LATER)
        found = await do(server_keys.get, key.id)
        assert found is not None
        assert (found.plan, found.ciphertext, found.retired_at) == (Plan.TEAM, b"sealed anew", NOW)
        assert (key.plan_chosen_at, found.plan_chosen_at) == (NOW, LATER)


async def test_a_restart_does_not_forget_what_was_sent_with_a_key(storage: Storage) -> None:
    now = ceil(NOW.timestamp())
    async with storage.write() as transaction:
        await transaction.run(lane_rows.keep_window, "one", None, [now + 3, now + 1, now + 3])
        await transaction.run(lane_rows.keep_window, "one", 7, [now + 2])
        await transaction.run(lane_rows.record, "one", NOW)
        await transaction.run(lane_rows.record, "one", NOW + timedelta(seconds=5))
        await transaction.run(lane_rows.keep_window, "two", None, [now + 9])
        await transaction.run(lane_rows.keep_window, "two", None, [now + 4])
    counted = [now + lane_rows.COUNTED, now + 5 + lane_rows.COUNTED]
    async with storage.read() as transaction:
        found = await transaction.run(lane_rows.windows, ["one", "two", "three"])
        others = await transaction.run(lane_rows.windows, ["one"], 7)
    assert sorted(found["one"]) == [now + 1, now + 2, now + 3, now + 3, *counted]
    assert (found["two"], found["three"]) == ([now + 4], [])
    assert sorted(others["one"]) == [now + 1, now + 3, now + 3, *counted]


async def test_what_no_window_holds_any_more_is_forgotten(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.run(lane_rows.record, "one", NOW)
        await transaction.run(lane_rows.record, "one", NOW + timedelta(minutes=3))
        assert len((await transaction.run(lane_rows.windows, ["one"]))["one"]) == 1
        await transaction.run(lane_rows.tidy, NOW + timedelta(minutes=6))
        assert await transaction.run(lane_rows.windows, ["one"]) == {"one": []}


async def test_a_wall_clock_that_was_set_back_does_not_block_a_lane(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.run(lane_rows.record, "one", LATER)
        await transaction.run(lane_rows.record, "one", NOW)
        until = (await transaction.run(lane_rows.windows, ["one"]))["one"]
        assert until == [ceil(NOW.timestamp() + lane_rows.COUNTED)]


async def test_the_last_charge_of_a_tool_and_its_dearest_are_remembered_for_each_key(
    storage: Storage,
) -> None:
    async with storage.write() as transaction:

        async def learn(lane: str, tool: str, variant: str, charge: int, at: datetime = NOW) -> int | None:
            return await transaction.run(charges.learn, lane, tool, variant, charge, at)

        assert await last_charges(transaction, "lane", "studio", "mode=image") == (None, None)
        assert await learn("lane", "studio", "mode=image", 9) is None
        assert await learn("lane", "studio", "mode=image", 8, LATER) == 9
        assert await learn("lane", "studio", "mode=image", 8, LATER) == 8
        await learn("lane", "studio", "mode=video", 40)
        await learn("lane", "photo-restore", "", 90)
        assert await last_charges(transaction, "lane", "studio", "mode=image") == (8, 8)
        found = (await transaction.run(charges_of, ["lane"]))["lane"].own
        assert (dearest([found], "studio", None), dearest([found], "studio", "mode=image")) == (40, 8)
        assert dearest([found], "career-photo", None) is None
        assert await last_charges(transaction, "lane", "photo-restore", "") == (90, 90)
        await learn("other", "studio", "mode=image", 3, LATER)
        assert await last_charges(transaction, "lane", "studio", "mode=image") == (8, 3)
        assert await last_charges(transaction, "third", "studio", "mode=image") == (None, 3)


async def test_a_named_value_is_the_one_that_was_set_last(storage: Storage) -> None:
    async with storage.write() as transaction:
        assert await transaction.run(meta.get, "commands") is None
        await transaction.run(meta.set_to, "commands", b"\x00one")
        await transaction.run(meta.set_to, "commands", b"two\xff")
        assert await transaction.run(meta.get, "commands") == b"two\xff"
