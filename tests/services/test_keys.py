"""A server's key: what may be pasted, that it is tried first, and that it is told to nobody."""

import logging
from pathlib import Path

import pytest

from bot.domain.guilds import Period, Plan
from bot.errors import Refused, StudiiBotError
from bot.jobs import lanes as lane_rows
from bot.servers import keys as server_keys
from bot.servers.keys import StudiiKey
from bot.studii import KeyRefused
from bot.vault import Vault, lane_names
from tests.services.world import GUILD, OTHER_GUILD, OTHER_SECRET, SECRET, ServicesWorld
from tests.support import spending
from tests.support.services import services_on


async def set_key(
    world: ServicesWorld, secret: str = SECRET, plan: Plan = Plan.PRO, daily: int | None = None
) -> StudiiKey:
    return await world.services.keys.set_key(GUILD, secret, plan, daily)


async def kept_keys(world: ServicesWorld) -> list[StudiiKey]:
    async with world.storage.read() as transaction:
        return await transaction.run(server_keys.stored)


async def test_a_server_starts_without_a_key(world: ServicesWorld) -> None:
    assert await world.services.db.read(server_keys.current, GUILD) is None


async def test_a_key_that_studii_takes_becomes_the_servers(world: ServicesWorld) -> None:
    key = await set_key(world, plan=Plan.TEAM)
    assert world.studii.asked == [SECRET]
    assert await world.services.db.read(server_keys.current, GUILD) == key
    assert (key.plan, key.created_at, key.retired_at) == (Plan.TEAM, world.clock.now(), None)
    assert world.vault.unseal(key.ciphertext) == SECRET
    assert any(changes.others for changes in world.told)


async def test_a_key_is_shown_masked(world: ServicesWorld) -> None:
    key = await set_key(world)
    assert key.masked == "stu_…4567"


@pytest.mark.parametrize(
    "pasted",
    [
        f"  {SECRET}\n",
        f'"{SECRET}"',
        f"“{SECRET}”",
        f"`{SECRET}`",
        f"Bearer {SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"authorization: bearer  {SECRET}",
        f"'Authorization: Bearer {SECRET}'",
        f'"Authorization": "Bearer {SECRET}"',
        f"x-api-key: {SECRET}",
        f"\ufeff\u200b{SECRET}\u00a0",
    ],
)
async def test_what_people_copy_around_a_key_does_not_matter(world: ServicesWorld, pasted: str) -> None:
    await set_key(world, pasted)
    assert world.studii.asked == [SECRET]


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "it must start with `stu_`"),
        ("sk-0123456789abcdef", "it must start with `stu_`"),
        ("my key is hunter22", "it must start with `stu_`"),
        ("STU_0123456789abcdef", "it must start with `stu_`"),
        ("stu_0123 456789abcdef", "it has a space or an invalid character"),
        ("stu_0123456789abcdéf", "it has a space or an invalid character"),
        ("stu_01234567\n89abcdef", "it has a space or an invalid character"),
        ("stu_", "it's too short"),
        ("stu_0123456", "it's too short"),
        ("stu_" + "a" * 253, "it's too long"),
    ],
)
async def test_what_can_be_no_key_is_refused_unasked_and_not_repeated(
    world: ServicesWorld, pasted: str, reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        await set_key(world, pasted)
    where = "Copy it from studii.tech/app/settings/api-keys and try `/studii key` again."
    assert str(caught.value) == f"That isn't a Studii key: {reason}. {where}"
    assert world.studii.asked == []


async def test_a_key_that_studii_refuses_changes_nothing(world: ServicesWorld) -> None:
    before = await set_key(world, daily=50)
    world.told.clear()
    world.studii.verdict = StudiiBotError("Studii does not accept this key.")
    with pytest.raises(StudiiBotError, match="does not accept this key"):
        await set_key(world, OTHER_SECRET, daily=70)
    assert await world.services.db.read(server_keys.current, GUILD) == before
    assert await kept_keys(world) == [before]
    assert (await spending.budget(world.services, GUILD)).settings.budget.limit == 50
    assert world.told == []


async def test_trying_a_key_counts_against_its_limit_even_if_it_is_refused(world: ServicesWorld) -> None:
    world.studii.verdict = StudiiBotError("Studii does not accept this key.")
    with pytest.raises(StudiiBotError):
        await set_key(world)
    lane = (await world.storage.db.write(lane_names, world.vault)).lane_of(SECRET)
    async with world.storage.read() as transaction:
        (until,) = (await transaction.run(lane_rows.windows, [lane]))[lane]
    assert 130 <= until - world.clock.now().timestamp() <= 132


async def test_a_server_tests_five_keys_a_minute_and_others_are_not_held_up(world: ServicesWorld) -> None:
    await set_key(world)
    world.studii.verdict = KeyRefused()
    wrong = [f"stu_wrong_key_{number}" for number in range(8)]
    for number, secret in enumerate(wrong):
        with pytest.raises(Refused, match="doesn't accept" if number < 4 else "Too many keys were tried"):
            await set_key(world, secret)
        world.clock.advance(5.0)
    assert world.studii.asked == [SECRET, *wrong[:4]]
    world.studii.verdict = None
    await world.services.keys.set_key(OTHER_GUILD, OTHER_SECRET, Plan.PRO, None)
    world.clock.advance(21.0)  # since the first: a minute
    await set_key(world)


async def test_a_replaced_key_is_kept_for_the_jobs_that_run_with_it(world: ServicesWorld) -> None:
    old = await set_key(world)
    world.clock.advance(60)
    new = await set_key(world, OTHER_SECRET)
    assert await world.services.db.read(server_keys.current, GUILD) == new
    retired, current = await kept_keys(world)
    assert (retired.id, retired.retired_at) == (old.id, world.clock.now())
    assert world.vault.unseal(retired.ciphertext) == SECRET
    assert current == new


async def test_the_same_key_again_is_no_second_key_but_takes_the_new_plan(world: ServicesWorld) -> None:
    first = await set_key(world, plan=Plan.PRO)
    again = await set_key(world, f"Bearer {SECRET}", plan=Plan.BUSINESS)
    assert (again.id, again.plan, again.retired_at) == (first.id, Plan.BUSINESS, None)
    assert await kept_keys(world) == [again]
    assert await world.services.db.read(server_keys.current, GUILD) == again


async def test_two_servers_with_one_key_share_its_lane(world: ServicesWorld) -> None:
    mine = await set_key(world)
    theirs = await world.services.keys.set_key(OTHER_GUILD, SECRET, Plan.PRO, None)
    others = await world.services.keys.set_key(OTHER_GUILD, OTHER_SECRET, Plan.PRO, None)
    assert mine.id != theirs.id
    assert mine.lane == theirs.lane != others.lane
    assert (await world.services.db.read(server_keys.current, GUILD)) == mine


async def test_a_budget_given_with_the_key_is_a_daily_one(world: ServicesWorld) -> None:
    await set_key(world, daily=30)
    budget = (await spending.budget(world.services, GUILD)).settings.budget
    assert (budget.limit, budget.period, budget.since) == (30, Period.DAY, world.clock.now())


async def test_a_key_without_a_budget_leaves_the_budget_alone(world: ServicesWorld) -> None:
    await world.budget(500, Period.MONTH)
    await set_key(world)
    budget = (await spending.budget(world.services, GUILD)).settings.budget
    assert (budget.limit, budget.period) == (500, Period.MONTH)


@pytest.mark.parametrize("daily", [-1, 1_000_001])
async def test_a_budget_that_makes_no_sense_is_refused_before_studii_is_asked(
    world: ServicesWorld, daily: int
) -> None:
    with pytest.raises(Refused, match="from 0 to 1,000,000 credits"):
        await set_key(world, daily=daily)
    assert world.studii.asked == []
    assert await kept_keys(world) == []


async def test_a_key_that_cannot_be_read_any_more_is_mended_by_pasting_it_again(
    world: ServicesWorld, tmp_path: Path
) -> None:
    await set_key(world)
    folder = tmp_path / "another"
    folder.mkdir()
    keys = (await services_on(world.storage, folder, world.clock, check_key=world.studii.check)).keys
    key = await keys.set_key(GUILD, SECRET, Plan.PRO, None)
    assert await world.storage.db.read(server_keys.current, GUILD) == key
    assert Vault.open((), folder / "encryption.key").unseal(key.ciphertext) == SECRET


async def test_the_key_is_in_no_file_of_the_database(world: ServicesWorld) -> None:
    await set_key(world)
    await set_key(world, OTHER_SECRET)
    await set_key(world)
    files = [path for path in world.file.parent.iterdir() if path.name.startswith(world.file.name)]
    assert {path.name for path in files} >= {"studii.db", "studii.db-wal"}
    written = b"".join(path.read_bytes() for path in files)
    assert b"4567" in written  # the hint: these are the files that hold the keys
    for secret in (SECRET, OTHER_SECRET):
        assert secret.encode() not in written
        assert secret.removeprefix("stu_").encode() not in written


@pytest.mark.driver_thread
async def test_the_key_is_in_no_log_at_any_level(
    world: ServicesWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="aiosqlite")  # storage turns it down; its words are heard here
    await set_key(world, f"Bearer {SECRET}")
    world.studii.verdict = StudiiBotError("Studii does not accept this key.")
    with pytest.raises(StudiiBotError):
        await set_key(world, OTHER_SECRET)
    with pytest.raises(Refused):
        await set_key(world, f"{OTHER_SECRET} and more")
    assert "Server 100 now uses key stu_…4567 (pro)." in caplog.messages
    assert any(record.name == "aiosqlite" for record in caplog.records)
    heard = "\n".join(f"{record.getMessage()} {record.__dict__!r}" for record in caplog.records)
    for secret in (SECRET, OTHER_SECRET):
        assert secret.removeprefix("stu_") not in heard
