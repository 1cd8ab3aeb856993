"""A plan that allows less than its admin said."""

from pathlib import Path

import pytest

from sandbox.demo.place import TEAM
from sandbox.studii import faults
from tests.stories.world import plain, town


@pytest.mark.promise
async def test_a_plan_that_seems_to_be_a_smaller_one_is_told_once_and_kept_over_a_kill(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        for number in range(2):
            here.studii.fail("status", faults.rate_limited(1))
            await here.maya.result_after(await here.maya.command("studio", prompt=f"Kite {number}"))
        await here.said("allows fewer requests than your plan", channel=TEAM)
        await here.restart()
        assert "Studii refused some requests below that" in plain(await here.nora.command("studii setup"))
        told = [one for one in here.discord.in_channel(TEAM) if "fewer requests" in plain(one)]
        assert len(told) == 1
