"""Servers' settings, keys, lanes, prices and small values."""

from datetime import timedelta

from bot.db import Database
from bot.domain.guilds import Budget, Period, Plan
from bot.servers import keys as server_keys, settings
from bot.servers.notices import NoticeKind
from bot.servers.settings import GuildSettings
from tests.support.jobs import NOW

LATER = NOW + timedelta(hours=1)


async def test_each_setting_of_a_server_leaves_the_others_as_they_were(db: Database) -> None:
    do = db.write
    await do(settings.change, 1, timezone="Europe/Berlin")
    assert await do(settings.of, 1) == GuildSettings(1, own_timezone="Europe/Berlin")
    budget = Budget(0, Period.TOTAL, NOW)
    await do(settings.set_budget, 1, budget)
    key = await db.write(server_keys.add, 1, "lane", "abcd", Plan.TEAM, b"sealed", NOW)
    await do(settings.set_key, 1, key.id)
    kept = await do(settings.of, 1)
    assert (kept.key_id, kept.budget, kept.timezone) == (key.id, budget, "Europe/Berlin")
    await do(settings.set_key, 1, None)
    kept = await do(settings.of, 1)
    assert (kept.key_id, kept.budget, kept.timezone) == (None, budget, "Europe/Berlin")
    assert await do(settings.of, 2) == GuildSettings(2)


UNKNOWN, BUDGET = NoticeKind.UNKNOWN, NoticeKind.BUDGET_80
