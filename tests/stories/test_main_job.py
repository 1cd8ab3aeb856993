"""The main job, from a command to the picture in the channel, and members who change their minds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sandbox.demo.people import text_of, until
from sandbox.demo.place import PHOTO_DESK
from sandbox.discord.emulator.messages import Message
from sandbox.studii import Outcome, faults
from tests.stories.world import ROOM, Town, failed, plain, town

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
async def test_a_photo_goes_to_studii_and_the_result_comes_back_byte_for_byte(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        for tool, inputs in PHOTO_TOOLS.items():
            result, job = await made_by(here, tool, image=ROOM, **inputs)
            assert list(here.studii.uploads.values())[-1].data == ROOM[1]
            assert (job.request.tool, job.request.inputs) == (tool, inputs)
            assert f"<@{here.maya.id}>" in text_of(result)


@pytest.mark.promise
async def test_words_become_a_picture_or_a_video_and_the_result_tells_what_it_cost(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        for mode, charge in (("image", 23), ("video", 41)):
            here.studii.next_job(Outcome(charge=charge))
            result, job = await made_by(here, "studio", prompt="A lighthouse in the fog", mode=mode)
            assert (job.request.inputs["source"], job.request.inputs["mode"]) == ("text", mode)
            assert (await here.studii.output_of(job.id)).content_type.startswith(mode)
            assert f"{charge} credits" in plain(result)
        assert await here.spent() == 23 + 41


@pytest.mark.promise
async def test_a_job_that_studii_fails_is_told_with_what_it_cost(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        here.studii.next_job(Outcome(fails="The model gave up."))
        said = await failed(await here.maya.command("studio", prompt="Something difficult"))
        assert "“The model gave up”." in said
        assert "Not charged." in said


@pytest.mark.promise
async def test_a_key_that_studii_refuses_is_not_stored(tmp_path: Path) -> None:
    async with town(tmp_path, key=False) as here:
        form = await here.nora.key_form()
        said = await here.nora.fill_in(form, {"key": "stu_" + "x" * 40, "plan": ["pro"], "budget": "100"})
        assert "Studii doesn't accept this API key" in plain(said)
        assert "key" in plain(await here.maya.command("studio", prompt="A red kite"))
        assert here.studii.requests.count("create") == 0


@pytest.mark.promise
async def test_fifty_at_once_on_a_budget_with_room_for_five_are_five(tmp_path: Path) -> None:
    async with town(tmp_path, key=False) as here:
        await here.set_key(budget=str(5 * 8 + 7))
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
async def test_a_key_appears_in_no_log_and_in_no_file(tmp_path: Path) -> None:
    async with town(tmp_path, key=False, LOG_LEVEL="DEBUG") as here:
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
async def test_a_job_cancelled_while_its_photo_travels_is_neither_made_nor_charged(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
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
    tmp_path: Path, *, taken: bool
) -> None:
    async with town(tmp_path) as here:
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
