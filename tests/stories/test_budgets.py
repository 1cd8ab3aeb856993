"""Budgets over days, and a clock that jumps."""

import time
from pathlib import Path

import pytest

from sandbox.demo.people import text_of
from sandbox.demo.place import TEAM
from sandbox.studii import Outcome
from tests.stories.world import DAY, ROOM, Town, plain, town

NOON = 12 * 3600.0
NEARLY, REST = "### ⚠️ Most of the budget is used", "### 🛑 The rest of the budget is too little for any tool"


async def make(here: Town, prompt: str, charge: int) -> None:
    """Let Maya make a picture at that charge."""
    here.studii.next_job(Outcome(charge=charge))
    await here.maya.result_after(await here.maya.command("studio", prompt=prompt))


def warnings(here: Town) -> list[str]:
    """Return the titles of the warnings about the budget."""
    said = map(text_of, here.discord.in_channel(TEAM))
    return [one.splitlines()[0] for one in said if one.startswith("### ") and "udget" in one.splitlines()[0]]


@pytest.mark.promise
async def test_a_day_renews_its_budget_and_a_clock_that_jumps_gives_no_second_one(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.restart((NOON - time.time()) % DAY)  # or midnight may come meanwhile
        await here.nora.command("studii budget", credits=30, period="day")
        await make(here, "Kite 1", 25)
        await here.said("Most of the budget is used", channel=TEAM)
        assert "5 of 30" in plain(await here.maya.command("studio", prompt="Too much"))
        await here.restart(DAY)
        assert await here.spent() == 0
        await make(here, "Kite 2", 26)
        assert warnings(here) == [NEARLY, REST, NEARLY]
        await here.restart(-DAY)
        assert await here.spent() == 25
        assert "5 of 30" in plain(await here.tom.command("studio", prompt="Too much"))
        await here.restart(DAY)
        assert await here.spent() == 26
        assert warnings(here) == [NEARLY, REST, NEARLY]


@pytest.mark.promise
async def test_what_costs_more_than_is_left_or_is_too_large_is_refused_with_the_figures(
    tmp_path: Path,
) -> None:
    async with town(tmp_path, MAX_SOURCE_MB="1") as here:
        large = ("room.jpg", ROOM[1] + bytes(1_100_000), "image/jpeg")
        said = plain(await here.maya.command("photo-restore", image=large))
        assert "That photo is 1.2 MB. The limit is 1 MB." in said
        await make(here, "Kite", 33)
        said = plain(await here.nora.command("studio", prompt="Kite", extra="seed=7"))
        assert "33 credits reserved" in said  # the dearest that was charged, as nobody knows what it does
        assert len(here.studii.uploads) == 0
