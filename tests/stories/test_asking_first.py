"""Prices that people confirm, and credits that they ask for."""

from pathlib import Path

import pytest

from sandbox.demo.people import until
from sandbox.demo.place import TEAM
from tests.stories.world import plain, town


@pytest.mark.promise
async def test_above_the_servers_price_each_way_asks_first_and_a_press_starts_one_job(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.nora.command("studii budget", credits=500, period="total")
        await here.nora.change("credits", "confirm_above", value="7")
        question = await here.maya.command("studio", prompt="A red kite")
        assert question.ephemeral
        assert "Studio costs about 8 credits. Start it?" in plain(question)
        await here.restart()
        await here.maya.confirm(question)
        result = await here.maya.result_after(question)
        again = await here.tom.press(result, "Run again")
        assert "Studio costs 8 credits. Start it?" in plain(again)
        await here.tom.confirm(again)
        await here.tom.result_after(again)
        await here.nora.change("credits", "confirm_above", value="50")
        await here.tom.result_after(await here.tom.command("studio", prompt="Below the price"))
        assert (len(here.studii.jobs), await here.spent()) == (3, 24)


@pytest.mark.promise
async def test_a_member_without_credits_asks_and_an_admin_grants_or_declines(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.nora.change("credits", "default", value="5")
        for who, answer in ((here.maya, "Grant 20"), (here.tom, "Decline")):
            refused = await who.command("studio", prompt="A red kite")
            assert "costs about 8 credits, and your allowance has 5 of 5 credits left" in plain(refused)
            await who.press(refused, "Ask an admin")
            asked = await here.said(f"<@{who.id}> wants to run", "Grant 20", channel=TEAM)
            await here.restart()
            await here.nora.press(asked, answer)
            told = here.discord.channels.dm_with(who.id).id
            await here.said(
                "granted you 20 credits" if answer != "Decline" else "declined your request", channel=told
            )
        await here.maya.result_after(await here.maya.command("studio", prompt="A red kite"))
        assert "Not enough credits" in plain(await here.tom.command("studio", prompt="A red kite"))
        await until(lambda: len(here.studii.jobs) == 1, "one job")
