"""Prices, budgets over days, credits that members ask for, keys and plans."""

import asyncio
import time

import pytest

from sandbox.demo.people import text_of, until
from sandbox.demo.place import TEAM
from sandbox.discord.emulator.messages import Message
from sandbox.studii import Outcome, faults
from tests.stories.world import A_SECOND, DAY, ROOM, Town, plain, says_failed


@pytest.mark.promise
async def test_a_job_of_an_unknown_price_goes_alone_and_a_dearer_one_ends_those_without_room(
    here: Town,
) -> None:
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
async def test_each_tool_and_choice_has_a_price_of_its_own(here: Town) -> None:
    await here.nora.command("studii budget", credits=60, period="total")
    here.studii.next_job(Outcome(charge=11))
    await here.maya.result_after(await here.maya.command("studio", prompt="A kite"))
    prices = plain(await here.maya.command("help"))
    assert "11 credits (last price) · mode **video**: about 40 credits" in prices
    assert "From a photo · about 8 credits" in prices
    assert "40 credits reserved" in plain(await here.maya.command("studio", prompt="A kite", mode="video"))
    refused = plain(await here.tom.command("studio", prompt="Another", mode="video"))
    assert "costs about 40 credits, and the server has 9 of 60 credits left" in refused


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
async def test_a_day_renews_its_budget_and_a_clock_that_jumps_gives_no_second_one(here: Town) -> None:
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
@pytest.mark.world(MAX_SOURCE_MB="1")
async def test_what_costs_more_than_is_left_or_is_too_large_is_refused_with_the_figures(
    here: Town,
) -> None:
    large = ("room.jpg", ROOM[1] + bytes(1_100_000), "image/jpeg")
    said = plain(await here.maya.command("photo-restore", image=large))
    assert "That photo is 1.2 MB. The limit is 1 MB." in said
    await make(here, "Kite", 33)
    said = plain(await here.nora.command("studio", prompt="Kite", extra="seed=7"))
    assert "33 credits reserved" in said  # the dearest that was charged, as nobody knows what it does
    assert len(here.studii.uploads) == 0


@pytest.mark.promise
async def test_above_the_servers_price_each_way_asks_first_and_a_press_starts_one_job(here: Town) -> None:
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
async def test_a_member_without_credits_asks_and_an_admin_grants_or_declines(here: Town) -> None:
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


MINUTE = 60.0


async def two_ask(here: Town) -> tuple[Message, Message]:
    """Let two members ask at the same moment, so that both are accepted before Studii answers.

    Return what they are answered.
    """
    return await asyncio.gather(
        here.maya.command("studio", prompt="A red kite"), here.tom.command("studio", prompt="A blue kite")
    )


def notices(here: Town) -> list[str]:
    """Return what admins were told with a button to try the key again."""
    return [one for one in map(text_of, here.discord.in_channel(TEAM)) if "\nTry again" in one]


async def both_made(here: Town) -> None:
    await until(lambda: len(list(here.pictures())) == 2, "both results")
    assert len(here.studii.jobs) == 2


@pytest.mark.promise
async def test_a_refused_key_holds_its_server_until_it_is_tried_again_or_replaced(here: Town) -> None:
    key = await here.set_key()
    key.revoke()
    await two_ask(here)
    await here.said("Try again", channel=TEAM)
    assert here.studii.requests.count("create") == 1
    assert "key" in plain(await here.maya.command("studio", prompt="A green kite"))
    for minutes in (1, 5, 15):
        tried = here.studii.requests.count("create")
        await here.stop()  # with the answer to the try before
        await here.restart(minutes * MINUTE + 1)
        await until(lambda: here.studii.requests.count("create") > tried, "another try")  # noqa: B023
    assert len(notices(here)) == 1
    await here.set_key(here.studii.add_key(account=key.account))
    await both_made(here)
    assert key.secret not in "".join(here.log)


@pytest.mark.promise
async def test_what_a_refused_key_held_for_a_day_ends_unpaid(here: Town) -> None:
    (await here.set_key()).revoke()
    await two_ask(here)
    await here.said("Try again", channel=TEAM)
    await here.restart(DAY + 2 * MINUTE)
    for prompt in ("A red kite", "A blue kite"):
        assert "Not charged." in plain(await here.said(prompt, "job failed"))
    assert (await here.spent(), len(here.studii.jobs)) == (0, 0)


@pytest.mark.promise
@pytest.mark.world(key=False)
async def test_without_credits_at_studii_one_job_ends_and_the_others_wait_for_try_again(
    here: Town,
) -> None:
    key = here.studii.add_key("team", balance=4)
    await here.set_key(key)
    await here.log_channel()
    answers = await two_ask(here)
    await until(lambda: any(map(says_failed, answers)), "one to end")
    (ended,) = filter(says_failed, answers)
    assert "Not charged." in plain(ended)
    notice = await here.said("Try again", channel=TEAM)
    assert "credits" in plain(await here.tom.command("studio", prompt="A green kite"))
    key.account.granted += 1000
    await here.nora.press(notice, "Try again")
    await until(lambda: next(here.pictures(), None), "the other's result")
    assert (len(here.studii.jobs), await here.spent()) == (1, 8)
    assert list(filter(says_failed, answers)) == [ended]
    assert not here.told_apart()


@pytest.mark.promise
@pytest.mark.world(options=A_SECOND)
async def test_a_running_job_goes_on_with_the_new_key_and_is_lost_with_that_of_another_account(
    here: Town,
) -> None:
    key = await here.set_key()
    await here.maya.command("studio", prompt="A red kite")
    await until(lambda: len(here.studii.jobs) == 1, "the job")
    key.revoke()
    new = await here.set_key(here.studii.add_key(account=key.account))
    await until(lambda: next(here.pictures(), None), "the result")
    await here.maya.command("studio", prompt="A blue kite [stuck]")
    await until(lambda: len(here.studii.jobs) == 2, "the job")
    new.revoke()
    await here.set_key()
    assert "Charged 8 credits." in plain(await here.said_of_polls("A blue kite", "job failed"))


@pytest.mark.promise
@pytest.mark.world(options=A_SECOND)
async def test_forgetting_a_key_asks_first_cancels_what_waits_and_lets_running_jobs_end(
    here: Town,
) -> None:
    await here.maya.command("studio", prompt="A red kite")
    await until(lambda: len(here.studii.jobs) == 1, "the job")
    question = await here.nora.press_in("setup", "setup:ask")
    await here.nora.press(question, "Remove key")
    await until(lambda: next(here.pictures(), None), "the result")
    assert "key" in plain(await here.maya.command("studio", prompt="A green kite"))


@pytest.mark.promise
async def test_a_plan_that_seems_to_be_a_smaller_one_is_told_once_and_kept_over_a_kill(
    here: Town,
) -> None:
    for number in range(2):
        here.studii.fail("status", faults.rate_limited(1))
        await here.maya.result_after(await here.maya.command("studio", prompt=f"Kite {number}"))
    await here.said("allows fewer requests than your plan", channel=TEAM)
    await here.restart()
    assert "Studii refused some requests below that" in plain(await here.nora.command("studii setup"))
    told = [one for one in here.discord.in_channel(TEAM) if "fewer requests" in plain(one)]
    assert len(told) == 1
