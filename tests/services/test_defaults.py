"""Whose inputs are preferred: what was set last counts, whatever is being read meanwhile."""

import asyncio

import pytest

from bot.catalog import Catalog
from bot.storage.styles.defaults import MemberDefaults
from tests.services.world import ServicesWorld


async def test_defaults_set_while_they_are_being_read_count_for_the_next_job(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults, members, studio = world.services.defaults, MemberDefaults.members, Catalog.load().get("studio")
    has_read, go_on = asyncio.Event(), asyncio.Event()

    async def slow(self: MemberDefaults, guild_id: int) -> frozenset[int]:
        found = await members(self, guild_id)
        has_read.set()
        await go_on.wait()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(MemberDefaults, "members", slow)
        reading = asyncio.create_task(defaults.of(1, 2, studio))
        await has_read.wait()
    await defaults.set(1, 2, studio, {"mode": "video"})
    go_on.set()
    await reading
    assert await defaults.of(1, 2, studio) == {"mode": "video"}
