"""`/help` says what a member can make here, at what price, and who looks at it first."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bot.catalog import Catalog, ToolInput
from bot.credits import charges
from bot.domain.guilds import Period
from bot.servers import access, keys
from tests.support import spending
from tests.support.desk import Desk, open_desk, texts


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            {"everyone": True, "results": True},
            "In this server a moderator approves your requests before they start, and looks at the results "
            "before they're posted.",
        ),
        ({"everyone": True}, "In this server a moderator approves your requests before they start."),
        ({"tools": ["studio"]}, "A moderator approves requests for it before they start."),
    ],
)
async def test_help_says_what_moderators_see_first(desk: Desk, rules: dict[str, Any], said: str) -> None:
    channel = desk.guild.create_text_channel("requests")
    await desk.services.db.write(access.change_approvals, desk.guild.id, channel_id=channel.id, **rules)
    assert f"🛂 {said}\n" in texts(await desk.maya.slash(desk.channel, "help"))


async def test_a_tool_that_costs_more_than_is_left_says_so_and_a_price_what_it_depends_on(
    desk: Desk,
) -> None:
    key = await desk.db.write(keys.current, desk.guild.id)
    assert key is not None
    await desk.db.write(charges.learn, key.lane, "photo-restore", "", 20, desk.clock.now())
    await spending.set_budget(desk.services, desk.guild.id, 10, Period.DAY)
    shown = texts(await desk.maya.slash(desk.channel, "help"))
    restoring = shown[shown.index("**Photo restoration**") :]
    assert "20 credits (last price)\n-# 🚫 You don't have enough credits left for this." in restoring
    assert "any tool" not in shown


async def test_a_price_that_depends_on_what_is_typed_says_so(tmp_path: Path) -> None:
    studio = Catalog.load().get("studio")
    seconds = ToolInput(name="seconds", description_texts="How long it is", price=True)
    inputs = (*(replace(one, price=False) for one in studio.inputs), seconds)
    tool = replace(studio, inputs=inputs, assumed_cost=8)
    async with open_desk(tmp_path, catalog=Catalog({"studio": tool})) as desk:
        await desk.set_key()
        shown = texts(await desk.maya.slash(desk.channel, "help"))
        assert "about 8 credits, depending on `seconds`" in shown
