"""A panel that a command or a button has changed says what, above the settings as they are now."""

from pathlib import Path

import pytest

from tests.support import spending
from tests.support.desk import Desk, open_desk, texts


@pytest.mark.promise
async def test_the_panel_of_allowances_says_what_has_just_changed(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        vip = desk.guild.create_role("VIP")
        said = {
            "✅ Everyone's allowance is now 20 credits a day.": {"credits": 20},
            f"✅ The allowance of <@&{vip.id}> is now 40 credits a day.": {"role": vip, "credits": 40},
            f"✅ The allowance of <@{desk.maya.id}> is now 1 credit a day.": {
                "member": desk.maya,
                "credits": 1,
            },
            "✅ No allowance is set for everyone now.": {"no_limit": True},
            "✅ Members can now run 2 jobs at the same time.": {"at_once": 2},
            "✅ Members can now run jobs at the same time without a limit.": {"at_once": 0},
            "✅ Members can now start 3 jobs in 10 minutes.": {"starts": 3},
            "✅ Members can now start jobs as often as they like.": {"starts": 0},
        }
        for sentence, options in said.items():
            shown = texts(await desk.admin.slash(desk.channel, "studii allowance", **options))
            assert sentence in shown.splitlines()
        assert "✅" not in texts(await desk.admin.slash(desk.channel, "studii allowance"))


async def test_the_refusal_of_too_many_jobs_at_once_names_no_cost(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await spending.set_limits(desk.services, desk.guild.id, at_once=1)
        await _ask(desk)
        refused = texts(await _ask(desk))
        assert refused.startswith(
            "You already have 1 job running, the limit here. Try again when one finishes."
        )
        assert "credit" not in refused


async def _ask(desk: Desk) -> object:
    return await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
