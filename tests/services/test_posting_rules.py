"""How a server's results are shown: what was set last counts, whatever is being read meanwhile."""

import asyncio

import pytest

from bot.domain.posting import PostingRules
from bot.storage.posting.rules import PostingRulesByServer
from tests.services.world import ServicesWorld


@pytest.mark.promise
async def test_rules_read_before_a_change_do_not_replace_it_in_memory(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    posting, get = world.services.posting, PostingRulesByServer.get
    has_read, go_on = asyncio.Event(), asyncio.Event()

    async def slow(self: PostingRulesByServer, guild_id: int) -> PostingRules:
        rules = await get(self, guild_id)
        has_read.set()
        await go_on.wait()
        return rules

    with monkeypatch.context() as patch:
        patch.setattr(PostingRulesByServer, "get", slow)
        reading = asyncio.create_task(posting.rules(1))
        await has_read.wait()
    changed = await posting.set(1, results_channel_id=5)
    go_on.set()
    await reading
    assert await posting.rules(1) == changed
