"""A panel that a command or a button has changed says what, above the settings as they are now."""

import pytest

from tests.support.desk import Desk, texts
from tests.support.settings import admin


@pytest.mark.promise
async def test_the_panel_of_allowances_says_what_has_just_changed(desk: Desk) -> None:
    vip = desk.guild.create_role("VIP")
    said = {
        "✅ **Everyone's allowance**: changed from no limit to 20 credits.": {"credits": 20},
        f"✅ **Roles (the highest applies)**: <@&{vip.id}>: 40 credits added.": {
            "role": vip,
            "credits": 40,
        },
        f"✅ **Members with their own allowance**: <@{desk.maya.id}>: 1 credit added.": {
            "member": desk.maya,
            "credits": 1,
        },
        "✅ **Everyone's allowance**: changed from 20 credits to no limit.": {"no_limit": True},
        "✅ **Simultaneous jobs**: changed from no limit to 2.": {"at_once": 2},
        "✅ **Simultaneous jobs**: changed from 2 to no limit.": {"at_once": 0},
        "✅ **Start rate**: changed from no limit to 3 jobs in 10 minutes.": {"starts": 3},
        "✅ **Start rate**: changed from 3 jobs in 10 minutes to no limit.": {"starts": 0},
    }
    for sentence, options in said.items():
        shown = texts(await admin(desk, "allowance", **options))
        assert sentence in shown.splitlines()
    assert "✅" not in texts(await admin(desk, "allowance"))
