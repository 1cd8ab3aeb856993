"""The main job from a command to the picture, sets, private results, and all that Studii may answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sandbox.demo.people import text_of, until
from sandbox.demo.place import PHOTO_DESK, TEAM
from sandbox.discord.emulator.messages import Message
from sandbox.photos import empty_room
from sandbox.studii import Options, Outcome, Output, faults
from sandbox.studii.faults import Fault
from tests.stories.world import A_SECOND, DAY, ROOM, Town, failed, field_of, plain
from tests.support.postgresql import free_port

PHOTO_TOOLS: Mapping[str, dict[str, str]] = {
    "virtual-staging": {"style": "scandinavian", "room": "bedroom"},
    "photo-restore": {},
    "product-background": {},
    "career-photo": {},
}


async def made_by(here: Town, tool: str, **options: Any) -> tuple[Message, Any]:
    """Let Maya use a tool. Return the message with what Studii made, and Studii's job."""
    result = await here.maya.result_after(await here.maya.command(tool, **options))
    job = list(here.studii.jobs.values())[-1]
    after = next(iter(result.files.values()))
    assert after.data == (await here.studii.output_of(job.id)).data
    return result, job


@pytest.mark.promise
async def test_a_photo_goes_to_studii_and_the_result_comes_back_byte_for_byte(here: Town) -> None:
    for tool, inputs in PHOTO_TOOLS.items():
        result, job = await made_by(here, tool, image=ROOM, **inputs)
        assert list(here.studii.uploads.values())[-1].data == ROOM[1]
        assert (job.request.tool, job.request.inputs) == (tool, inputs)
        assert f"<@{here.maya.id}>" in text_of(result)


@pytest.mark.promise
async def test_words_become_a_picture_or_a_video_and_the_result_tells_what_it_cost(here: Town) -> None:
    for mode, charge in (("image", 23), ("video", 41)):
        here.studii.next_job(Outcome(charge=charge))
        result, job = await made_by(here, "studio", prompt="A lighthouse in the fog", mode=mode)
        assert (job.request.inputs["source"], job.request.inputs["mode"]) == ("text", mode)
        assert (await here.studii.output_of(job.id)).content_type.startswith(mode)
        assert f"{charge} credits" in plain(result)
    assert await here.spent() == 23 + 41


@pytest.mark.promise
async def test_a_job_that_studii_fails_is_told_with_what_it_cost(here: Town) -> None:
    here.studii.next_job(Outcome(fails="The model gave up."))
    said = await failed(await here.maya.command("studio", prompt="Something difficult"))
    assert "“The model gave up”." in said
    assert "Not charged." in said


@pytest.mark.promise
@pytest.mark.world(key=False)
async def test_a_key_that_studii_refuses_is_not_stored(here: Town) -> None:
    form = await here.nora.key_form()
    said = await here.nora.fill_in(form, {"key": "stu_" + "x" * 40, "plan": ["pro"]})
    assert "Studii doesn't accept this API key" in plain(said)
    assert "key" in plain(await here.maya.command("studio", prompt="A red kite"))
    assert here.studii.requests.count("create") == 0


@pytest.mark.promise
@pytest.mark.world(key=False)
async def test_fifty_at_once_on_a_budget_with_room_for_five_are_five(here: Town) -> None:
    await here.set_key(budget=5 * 8 + 7)
    asked = [
        here.discord.send(here.discord.command(PHOTO_DESK, 9000 + one, "studio", {"prompt": "A kite"}))
        for one in range(50)
    ]
    await until(lambda: all(one.over and one.answer for one in asked), "all to be answered")
    said = [text_of(one.answer) for one in asked if one.answer]
    assert sum("budget" in one for one in said) == 45
    await until(lambda: len(list(here.pictures())) == 5, "five results")
    assert (len(here.studii.jobs), await here.spent()) == (5, 40)


@pytest.mark.promise
@pytest.mark.world(key=False, LOG_LEVEL="DEBUG")
async def test_a_key_appears_in_no_log_and_in_no_file(here: Town, tmp_path: Path) -> None:
    key = await here.set_key()
    here.studii.fail("create", faults.error(400, f"The key {key.secret} may not do this."))
    await failed(await here.maya.command("studio", prompt="A red kite"))
    await here.maya.result_after(await here.maya.command("studio", prompt="A blue kite"))
    shown = "".join(map(plain, here.discord.messages.values()))
    await here.stop()
    files = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}  # noqa: ASYNC240
    assert not [file for file, data in files.items() if key.secret.encode() in data]
    assert any(" is accepted" in line for line in here.log)
    assert not [line for line in here.log if key.secret in line]
    assert key.secret not in shown


class Thinking(faults.Held):
    """Studii thinks until it is released, and then takes it, or can't if it `refuses`."""

    reached = refuses = False

    async def apply(self, request: web.Request, effect: faults.Effect) -> web.StreamResponse | None:
        self.reached = True
        await self.release.wait()
        return await (faults.error(500).apply(request, effect) if self.refuses else effect())


@pytest.mark.promise
async def test_a_job_cancelled_while_its_photo_travels_is_neither_made_nor_charged(here: Town) -> None:
    held = Thinking()
    here.studii.fail("put", held)
    answer = await here.maya.command("virtual-staging", image=ROOM)
    await until(lambda: held.reached, "the photo to be on its way")
    await here.maya.press(answer, "Cancel job")
    await until(lambda: "Cancelled." in plain(answer), "the progress to say that it is cancelled")
    assert "Not charged." in plain(answer)
    assert "Cancel job" not in text_of(answer)
    held.release.set()
    # The lane goes on, and what was cancelled does not come after all.
    await here.tom.result_after(await here.tom.command("studio", prompt="A red kite"))
    (made,) = here.studii.jobs.values()
    assert (made.request.tool, await here.spent()) == ("studio", made.charged)


@pytest.mark.promise
@pytest.mark.parametrize("taken", [False, True])
async def test_a_cancellation_while_it_is_sent_counts_if_studii_does_not_take_it(
    here: Town, *, taken: bool
) -> None:
    held = Thinking()
    held.refuses = not taken
    here.studii.fail("create", held)
    answer = await here.maya.command("studio", prompt="A red kite")
    await until(lambda: held.reached, "the job to be handed to Studii")
    (button,) = (one for one in answer.custom_ids() if ":cancel:" in one)
    here.discord.send(here.discord.press(answer, here.maya.id, button))  # it may go in this moment
    told = await here.said("If Studii takes it, the result will arrive.", "it will be cancelled")
    assert told.ephemeral
    held.release.set()
    if taken:
        await here.maya.result_after(answer)
    else:
        await until(lambda: "Not charged." in plain(answer), "the progress to say that it is cancelled")
        assert not list(here.pictures())
    assert here.studii.requests.count("create") == 1
    assert await here.spent() == here.charged()


LOST: tuple[Fault, ...] = (
    faults.DropBefore(),
    faults.DropAfter(),
    faults.proxy_error(after=True),
    faults.Malformed(),
    faults.WrongShape(),
    faults.Truncated(),
)


async def answer_of_failure(here: Town, prompt: str) -> str:
    """Let Maya ask for that, and return what the answer then says of its failure."""
    return await failed(await here.maya.command("studio", prompt=prompt))


async def told(here: Town, prompt: str) -> str:
    """Let Maya ask for that, and return the direct message that then tells her how it ended."""
    await here.maya.command("studio", prompt=prompt)
    dm = here.discord.channels.dm_with(here.maya.id)
    return plain(await here.said(prompt, "job failed", channel=dm.id))


@pytest.mark.promise
async def test_what_studii_refuses_ends_unpaid_in_its_words_and_what_it_did_not_take_is_sent_again(
    here: Town,
) -> None:
    for number, status in enumerate((400, 403, 422)):
        here.studii.fail("create", faults.error(status, f"Not with this lens, {status}."))
        said = await answer_of_failure(here, f"Refused {number}")
        assert f"Not with this lens, {status}" in said
        assert "Not charged." in said
    assert not here.studii.jobs
    here.studii.fail("create", faults.error(500))
    here.studii.fail("create", faults.rate_limited(1))
    await here.maya.result_after(await here.maya.command("studio", prompt="Not at first"))
    assert (len(here.studii.jobs), here.studii.requests.count("create")) == (1, 6)
    assert "Not charged." in await answer_of_failure(here, "A lamp [fail]")
    assert "Charged 8 credits." in await told(here, "A lamp [fail-charged]")
    here.studii.next_job(Outcome(fails="Too windy.", charge=9, final_charge=7))
    assert "Charged 7 credits." in await told(here, "A kite in the wind")
    here.studii.next_job(Outcome(charge=9, final_charge=7))
    await here.maya.result_after(await here.maya.command("studio", prompt="A cheaper kite"))
    assert await here.spent() == here.charged()
    assert ["Charged" in one for one in here.told_apart()] == [True, True]


@pytest.mark.promise
async def test_a_lost_answer_is_never_sent_again_and_an_admin_or_a_month_settles_it(here: Town) -> None:
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
async def test_what_never_reached_studii_waits_until_it_can(here: Town) -> None:
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


async def asked_for(here: Town, prompt: str, outcome: Outcome | None = None) -> None:
    """Let Maya ask for that, and wait until Studii has it."""
    before = len(here.studii.jobs)
    if outcome is not None:
        here.studii.next_job(outcome)
    await here.maya.command("studio", prompt=prompt)
    await until(lambda: len(here.studii.jobs) > before, "the job")


@pytest.mark.promise
async def test_a_job_that_never_ends_is_told_after_a_day_and_given_up_at_its_charge_after_a_week(
    here: Town,
) -> None:
    await here.nora.command("studii budget", credits=500, period="total")
    await asked_for(here, "A slow kite", Outcome(never_ends=True, status="upscaling"))
    await here.said("A slow kite", "upscaling")
    await here.restart(DAY + 60)
    await here.said("running", channel=TEAM)
    await here.restart(6 * DAY)
    assert "Charged 8 credits." in plain(await here.said("A slow kite", "job failed"))
    assert await here.spent() == 8
    assert len([one for one in here.discord.in_channel(TEAM) if "running" in text_of(one)]) == 1


@pytest.mark.promise
async def test_a_job_that_studii_does_not_know_any_more_fails_at_its_charge(here: Town) -> None:
    here.studii.fail("status", faults.error(404, "No such job."), times=99)
    await asked_for(here, "A lost kite")
    assert "Charged 8 credits." in plain(await here.said_of_polls("A lost kite", "job failed"))
    assert await here.spent() == 8


@pytest.mark.promise
@pytest.mark.world(options=Options(instant=True, long_side=96))
async def test_bad_answers_and_half_files_are_asked_for_again_and_nothing_broken_is_posted(
    here: Town,
) -> None:
    for fault in (faults.error(500), faults.Truncated(), faults.Malformed(), faults.DropBefore()):
        here.studii.fail("status", fault)
    await asked_for(here, "A kite in a storm")
    await here.said("A kite in a storm", "is ready")
    for fault in (faults.gone(), faults.Truncated(), faults.DropBefore(), faults.Malformed()):
        here.studii.fail("output", fault)
        await asked_for(here, f"A kite behind {fault}")
    await until(lambda: len(list(here.pictures())) == 5, "all results")
    for endpoint in ("upload", "put"):
        here.studii.fail(endpoint, faults.error(500))
    await here.maya.command("photo-restore", image=ROOM)
    await until(lambda: len(list(here.pictures())) == 6, "the restored photo")
    here.studii.fail("put", faults.error(413))
    assert "Not charged." in await failed(await here.maya.command("photo-restore", image=ROOM))
    made = {(await here.studii.output_of(one)).data for one in here.studii.jobs}
    posted = {file.data for one in here.pictures() for file in one.files.values()}
    assert made <= posted <= made | {ROOM[1]}
    assert await here.spent() == here.charged()
    assert not here.told_apart()


@pytest.mark.promise
async def test_what_is_no_picture_is_never_posted_and_its_charge_is_told(here: Town) -> None:
    await asked_for(here, "A page", Outcome(output=Output(b"<html>Not yet</html>", "text/html")))
    assert "Charged 8 credits." in plain(await here.said("job failed", "isn't a picture or a video"))
    assert not list(here.pictures())


PHOTOS = [(f"room{number}.jpg", empty_room((160 + number, 120)), "image/jpeg") for number in range(4)]


def pictured(here: Town) -> list[str]:
    return [file.sha256 for one in here.pictures() for file in one.files.values()]


@pytest.mark.promise
async def test_a_sets_results_come_together_or_two_minutes_after_the_first_also_over_a_kill(
    here: Town,
) -> None:
    here.studii.next_job(Outcome())
    here.studii.next_job(Outcome(fails="Too dark."))
    here.studii.next_job(Outcome(never_ends=True), times=2)
    posted = here.maya.post("My rooms", *PHOTOS)
    form = await here.maya.menu("Photo restoration", posted)
    assert "All 4 · about 32 credits" in str(form)
    start = await here.maya.fill_in(form, {"image": ["first 4"]})
    await until(lambda: len(here.studii.jobs) == 4, "all jobs")
    await until(lambda: "1 done · 2 running · 1 failed" in plain(start), "two to end")
    assert not list(here.pictures())
    await here.restart(130)
    first = plain(await here.maya.result_after(start))
    assert "“Too dark”. Not charged." in first
    assert "Run the failed ones again" in first
    for job in here.studii.jobs.values():
        if job.outcome.never_ends:
            job.outcome = Outcome()
    await until(lambda: len(pictured(here)) == 6, "the rest")
    await here.restart()
    assert len(set(pictured(here))) == 6  # three photos, each beside what became of it
    assert await here.spent() == here.charged()


ANSWERS_END = 15 * 60.0  # after the interaction


async def runs(here: Town, prompt: str) -> Message:
    """Let Maya ask for something private, and wait until the bot asks Studii whether it is done."""
    before = here.studii.requests.count("status")
    answer = await here.maya.command("studio", prompt=prompt, private=True)
    await until(lambda: here.studii.requests.count("status") > before, "the job to run")
    assert answer.ephemeral
    assert not answer.files
    return answer


@pytest.mark.promise
@pytest.mark.world(options=A_SECOND)
async def test_a_private_result_is_its_persons_alone_and_comes_by_dm_when_it_is_late(here: Town) -> None:
    told = here.discord.channels.dm_with(here.maya.id)
    public = len(here.discord.in_channel(PHOTO_DESK))
    shown = await runs(here, "A red kite")
    await until(lambda: "is ready" in plain(shown) and shown.files, "the result in the answer")
    shown = await runs(here, "A pink kite")
    await here.restart()
    await until(lambda: "is ready" in plain(shown) and shown.files, "the result in the answer")
    await runs(here, "A blue kite")
    await here.restart(ANSWERS_END)
    assert (await here.said("A blue kite", "is ready", channel=told.id)).files
    told.closed = True
    await runs(here, "A green kite")
    await here.restart(ANSWERS_END)
    await until(lambda: any("was not posted" in line for line in here.log), "it to be kept")
    listed = await here.maya.command("jobs")
    assert "A green kite" in plain(listed)
    assert len(listed.files) >= 3  # small pictures of what was made before the restarts
    assert all((file.data or b"").startswith(b"RIFF") for file in listed.files.values())
    served = await here.nora.press(await here.nora.command("jobs"), "Server jobs")
    assert "in <#" in plain(served)
    assert "A green kite" not in plain(served)
    assert not served.files
    assert len(here.discord.in_channel(PHOTO_DESK)) == public
    assert len(here.discord.in_channel(told.id)) == 1
