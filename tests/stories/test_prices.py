"""What jobs cost that have never been charged before, and how far a budget can be exceeded."""

import asyncio
from pathlib import Path

import pytest

from sandbox.demo.people import until
from sandbox.studii import Outcome
from tests.stories.world import plain, says_failed, town


@pytest.mark.promise
async def test_a_job_of_an_unknown_price_goes_alone_and_a_dearer_one_ends_those_without_room(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        await here.nora.command("studii budget", credits=35, period="total")
        here.studii.next_job(Outcome(charge=15), times=9)
        asked = (here.maya.command("studio", prompt=f"Kite {number}") for number in range(5))
        answers = await asyncio.gather(*asked)
        await until(lambda: len(list(here.pictures())) == 2, "what there is room for")
        await until(lambda: sum(map(says_failed, answers)) == 2, "the others")
        assert all("Not charged." in plain(one) for one in filter(says_failed, answers))
        assert (len(here.studii.jobs), await here.spent()) == (2, 30)
        refused = plain(await here.tom.command("studio", prompt="One more"))
        assert "15" in refused
        assert "5 of 35" in refused
        assert not here.told_apart()


@pytest.mark.promise
async def test_each_tool_and_choice_has_a_price_of_its_own(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.nora.command("studii budget", credits=60, period="total")
        here.studii.next_job(Outcome(charge=11))
        await here.maya.result_after(await here.maya.command("studio", prompt="A kite"))
        prices = plain(await here.maya.command("help"))
        assert "11 credits (last price) · mode **video**: about 40 credits" in prices
        assert "From a photo · about 8 credits" in prices
        assert "40 credits reserved" in plain(
            await here.maya.command("studio", prompt="A kite", mode="video")
        )
        refused = plain(await here.tom.command("studio", prompt="Another", mode="video"))
        assert "costs about 40 credits, and the server has 9 of 60 credits left" in refused
