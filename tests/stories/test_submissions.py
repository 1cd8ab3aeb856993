"""What Studii answers to a paid request: nothing is sent twice that may have been taken."""

from pathlib import Path

import pytest

from sandbox.demo.people import text_of, until
from sandbox.demo.place import TEAM
from sandbox.discord.emulator.messages import Message
from sandbox.studii import Outcome, faults
from sandbox.studii.faults import Fault
from tests.engine.world import free_port
from tests.stories.world import DAY, ROOM, Town, failed, field_of, plain, town

LOST: tuple[Fault, ...] = (
    faults.DropBefore(),
    faults.DropAfter(),
    faults.proxy_error(after=True),
    faults.Malformed(),
    faults.WrongShape(),
    faults.Truncated(),
)


async def answered(here: Town, prompt: str) -> str:
    """Let Maya ask for that, and return what the answer then says of its failure."""
    return await failed(await here.maya.command("studio", prompt=prompt))


async def told(here: Town, prompt: str) -> str:
    """Let Maya ask for that, and return the direct message that then tells her how it ended."""
    await here.maya.command("studio", prompt=prompt)
    dm = here.discord.channels.dm_with(here.maya.id)
    return plain(await here.said(prompt, "job failed", channel=dm.id))


@pytest.mark.promise
async def test_what_studii_refuses_ends_unpaid_in_its_words_and_what_it_did_not_take_is_sent_again(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        for number, status in enumerate((400, 403, 422)):
            here.studii.fail("create", faults.error(status, f"Not with this lens, {status}."))
            said = await answered(here, f"Refused {number}")
            assert f"Not with this lens, {status}" in said
            assert "Not charged." in said
        assert not here.studii.jobs
        here.studii.fail("create", faults.error(500))
        here.studii.fail("create", faults.rate_limited(1))
        await here.maya.result_after(await here.maya.command("studio", prompt="Not at first"))
        assert (len(here.studii.jobs), here.studii.requests.count("create")) == (1, 6)
        assert "Not charged." in await answered(here, "A lamp [fail]")
        assert "Charged 8 credits." in await told(here, "A lamp [fail-charged]")
        here.studii.next_job(Outcome(fails="Too windy.", charge=9, final_charge=7))
        assert "Charged 7 credits." in await told(here, "A kite in the wind")
        here.studii.next_job(Outcome(charge=9, final_charge=7))
        await here.maya.result_after(await here.maya.command("studio", prompt="A cheaper kite"))
        assert await here.spent() == here.charged()
        assert ["Charged" in one for one in here.told_apart()] == [True, True]


@pytest.mark.promise
async def test_a_lost_answer_is_never_sent_again_and_an_admin_or_a_month_settles_it(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.nora.command("studii budget", credits=500, period="total")
        for number, fault in enumerate(LOST):
            here.studii.fail("create", fault)
            await here.maya.command("studio", prompt=f"Lost {number}")
            await here.said(f"Lost {number}", "answer didn't arrive")
        made = len(here.studii.jobs)
        assert (made, here.studii.requests.count("create")) == (5, 6)
        assert await here.spent() == 8 * 6

        def notices_there() -> list[Message]:
            return [one for one in here.discord.in_channel(TEAM) if "Mark as charged" in text_of(one)]

        await until(lambda: len(notices_there()) >= 6, "the notices")
        notices = notices_there()
        assert len(notices) == 6
        form = await here.nora.press_for_form(notices[0], "Mark as charged")
        await here.nora.fill_in(form, {field_of(form): "3"})
        await here.nora.press(notices[1], "Release credits")
        assert await here.spent() == 8 * 4 + 3
        await until(lambda: not text_of(notices[0]).endswith("Release credits"), "the buttons to go")
        await here.restart(31 * DAY)
        await until(
            lambda: here.read("Lost 5", "counts as charged") or here.read("Lost 5", "Charged 8 credits"),
            "a verdict",
        )
        assert await here.spent() == 8 * 4 + 3
        assert here.studii.requests.count("create") == 6


@pytest.mark.promise
async def test_what_never_reached_studii_waits_until_it_can(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        nobody, listens = (
            here.settings | {"STUDII_API_URL": f"http://127.0.0.1:{free_port()}/api/v1"},
            here.settings,
        )
        here.settings = nobody
        await here.restart()
        await here.maya.command("virtual-staging", image=ROOM, style="modern")
        await here.said("can't be reached")
        here.settings = listens
        await here.restart()
        await until(lambda: next(here.pictures(), None), "the result")
        assert here.studii.requests.count("create") == 1
