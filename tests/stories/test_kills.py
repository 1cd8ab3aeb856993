"""kill -9 on a real disk, wherever a job is: nothing is lost, doubled or charged twice."""

import pytest

from sandbox.demo.people import text_of, until
from sandbox.demo.place import PHOTO_DESK, TEAM
from sandbox.discord.emulator.faults import Fault
from sandbox.studii import faults
from sandbox.studii.faults import Endpoint
from sandbox.studii.jobs import Outcome
from tests.stories.test_jobs import Thinking
from tests.stories.world import ROOM, Town, plain
from tests.support.patience import PATIENCE

WHERE: tuple[Endpoint, ...] = ("upload", "put", "status", "output")


@pytest.mark.promise
async def test_variations_that_a_kill_interrupts_come_once_and_in_one_message(here: Town) -> None:
    made = await here.maya.result_after(await here.maya.command("studio", prompt="A red kite"))
    here.studii.next_job(Outcome())
    here.studii.next_job(Outcome(never_ends=True), times=2)
    form = await here.maya.press_for_form(await here.maya.press(made, "More…"), "Variations…")
    start = await here.maya.fill_in(form, {"count": ["3"]})
    await until(lambda: "1 done · 2 running" in plain(start), "one to end")
    await here.kill()
    for job in here.studii.jobs.values():
        job.outcome = Outcome()
    await here.start()
    posted = await here.maya.result_after(start)
    assert len(posted.files) == 3
    await here.restart()
    await here.tom.result_after(await here.tom.command("studio", prompt="A boat"))
    assert list(here.pictures())[:-1] == [made, posted]
    assert len(here.studii.jobs) == 5
    assert await here.spent() == here.charged()


def chat(here: Town) -> None:
    """More than Discord gives of a channel at once."""
    for number in range(110):
        here.discord.post(PHOTO_DESK, here.tom.id, f"What about {number}?")


@pytest.mark.promise
@pytest.mark.parametrize("looks", [True, False], ids=["by its mark", "by its nonce"])
async def test_a_job_survives_kill_9_wherever_it_is_and_is_posted_once(here: Town, *, looks: bool) -> None:
    """The first result is in a busy channel, and the bot hasn't heard so; of the last job Studii's answer."""
    here.discord.channels.readable = looks
    chat(here)
    here.discord.fail("send", Fault(200, delay=10 * PATIENCE))
    answers = [await here.maya.command("photo-restore", image=ROOM)]
    await until(lambda: next(here.pictures(), None), "the result")
    for endpoint in WHERE:
        held = Thinking()
        here.studii.fail(endpoint, held)
        answers.append(await here.maya.command("photo-restore", image=ROOM))
        await until(lambda held=held: held.reached, f"a request for {endpoint}")
    made = len(here.studii.jobs)
    here.studii.fail("create", faults.Slow(10 * PATIENCE, after=True))
    lost = await here.maya.command("studio", prompt="A red kite")
    await until(lambda: len(here.studii.jobs) > made, "the job to be taken")
    (button,) = (one for one in lost.custom_ids() if ":cancel:" in one)
    here.discord.send(here.discord.press(lost, here.maya.id, button))
    await here.kill()
    chat(here)
    if looks:
        here.discord.channels.forget_nonces()
    await here.start()
    assert "Mark as charged" in text_of(await here.said("answer to this job didn't arrive", channel=TEAM))
    for answer in answers:
        await until(lambda answer=answer: "see the result" in plain(answer), "the result")
    assert len(here.studii.jobs) == len(WHERE) + 2
    assert len(list(here.pictures())) == len(WHERE) + 1
    assert await here.spent() == here.charged()
