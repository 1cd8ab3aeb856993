"""Requests and results that moderators look at first, over kills and days."""

from pathlib import Path

import pytest

from sandbox.demo.people import text_of, until
from sandbox.demo.place import MEMBERS, TEAM
from tests.stories.world import DAY, ROOM, Town, field_of, plain, town


async def asks_moderators(here: Town) -> None:
    await here.nora.change("moderation approvals", "channel_id", str(TEAM))
    await here.nora.change("moderation approvals", "everyone")


@pytest.mark.promise
async def test_a_request_waits_over_a_kill_and_goes_to_studii_once_it_is_approved(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await asks_moderators(here)
        start = await here.maya.command("virtual-staging", image=ROOM, style="modern")
        question = await here.said("Approve", channel=TEAM)
        assert await here.spent() == 8
        await here.restart()
        await here.nora.change("moderation approvals", "channel_id", "")  # for later requests
        assert not here.studii.jobs
        await here.mika.press(question, "Approve")
        await here.maya.result_after(start)
        assert len(here.studii.jobs) == 1
        assert "\nApprove" not in text_of(question)
        await here.tom.result_after(await here.tom.command("studio", prompt="A red kite"))


@pytest.mark.promise
async def test_a_request_ends_unpaid_when_it_is_declined_or_forgotten_for_a_day(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await asks_moderators(here)
        await here.maya.command("studio", prompt="A red kite")
        form = await here.mika.press_for_form(
            await here.said("A red kite", "Decline", channel=TEAM), "Decline"
        )
        await here.mika.fill_in(form, {field_of(form): "Not in here."})
        assert "Not charged." in plain(await here.said("A red kite", "Not in here."))
        await here.tom.command("studio", prompt="A blue kite")
        await here.said("A blue kite", "Decline", channel=TEAM)
        await here.restart(DAY + 60)
        assert "Not charged." in plain(await here.said(f"<@{here.tom.id}>", "A blue kite", "harged"))
        await until(lambda: here.read("A blue kite", channel=TEAM) is None, "the question to be reduced")
        assert (await here.spent(), len(here.studii.jobs)) == (0, 0)


@pytest.mark.promise
async def test_a_result_that_is_not_approved_costs_its_credits_and_is_kept_for_moderators(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        await here.nora.command("studii budget", credits=500, period="total")
        await here.nora.change("moderation approvals", "channel_id", str(TEAM))
        await here.nora.change("moderation approvals", "roles", str(MEMBERS))
        await here.nora.change("moderation approvals", "results")
        await here.maya.command("studio", prompt="A red kite")
        await here.mika.press(await here.said("A red kite", "Approve", channel=TEAM), "Approve")
        await here.said("A red kite", "made this with", "Approve", channel=TEAM)
        await here.restart(DAY + 60)
        assert "Charged 8 credits." in plain(await here.said(f"<@{here.maya.id}>", "result isn't posted"))
        assert not list(here.pictures())
        kept = await here.mika.press(await here.mika.command("jobs"), "Results not posted")
        shown = await here.mika.press(kept, "See result")
        await here.mika.press(shown, "Post it after all")
        await until(lambda: next(here.pictures(), None), "the result")
        assert await here.spent() == 8
