"""A key that Studii refuses, an account without credits, and a key that is replaced."""

import asyncio
from pathlib import Path

import pytest

from sandbox.demo.people import text_of, until
from sandbox.demo.place import TEAM
from sandbox.discord.emulator.messages import Message
from sandbox.studii import Options
from tests.stories.world import DAY, Town, plain, says_failed, town

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
async def test_a_refused_key_holds_its_server_until_it_is_tried_again_or_replaced(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        key = await here.set_key()
        key.revoke()
        await two_ask(here)
        await here.said("Try again", channel=TEAM)
        assert here.studii.requests.count("create") == 1
        assert "key" in plain(await here.maya.command("studio", prompt="A green kite"))
        for minutes in (1, 5, 15):
            tried = here.studii.requests.count("create")
            await here.restart(minutes * MINUTE + 1)
            await until(lambda: here.studii.requests.count("create") > tried, "another try")  # noqa: B023
        assert len(notices(here)) == 1
        await here.set_key(here.studii.add_key(account=key.account))
        await both_made(here)
        assert key.secret not in "".join(here.log)


@pytest.mark.promise
async def test_what_a_refused_key_held_for_a_day_ends_unpaid(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        (await here.set_key()).revoke()
        await two_ask(here)
        await here.said("Try again", channel=TEAM)
        await here.restart(DAY + 2 * MINUTE)
        for prompt in ("A red kite", "A blue kite"):
            assert "Not charged." in plain(await here.said(prompt, "job failed"))
        assert (await here.spent(), len(here.studii.jobs)) == (0, 0)


@pytest.mark.promise
async def test_without_credits_at_studii_one_job_ends_and_the_others_wait_for_try_again(
    tmp_path: Path,
) -> None:
    async with town(tmp_path, key=False) as here:
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
async def test_a_running_job_goes_on_with_the_new_key_and_is_lost_with_that_of_another_account(
    tmp_path: Path,
) -> None:
    async with town(tmp_path, Options(long_side=64)) as here:
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
        await here.restart(speed=10)
        assert "Charged 8 credits." in plain(await here.said("A blue kite", "job failed"))


@pytest.mark.promise
async def test_forgetting_a_key_asks_first_cancels_what_waits_and_lets_running_jobs_end(
    tmp_path: Path,
) -> None:
    async with town(tmp_path, Options(long_side=64)) as here:
        await here.maya.command("studio", prompt="A red kite")
        await until(lambda: len(here.studii.jobs) == 1, "the job")
        question = await here.nora.press_in("setup", "setup:ask")
        await here.nora.press(question, "Remove key")
        await until(lambda: next(here.pictures(), None), "the result")
        assert "key" in plain(await here.maya.command("studio", prompt="A green kite"))
