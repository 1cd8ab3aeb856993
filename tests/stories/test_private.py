"""What one person alone sees, also over a kill."""

from pathlib import Path

import pytest

from sandbox.demo.people import until
from sandbox.demo.place import PHOTO_DESK
from sandbox.discord.emulator.messages import Message
from sandbox.studii import Options
from tests.stories.world import Town, plain, town

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
async def test_a_private_result_is_its_persons_alone_and_comes_by_dm_when_it_is_late(tmp_path: Path) -> None:
    async with town(tmp_path, Options(long_side=64)) as here:
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
        await until(lambda: any("can't be delivered" in line for line in here.log), "it to be kept")
        listed = await here.maya.command("jobs")
        assert "A green kite" in plain(listed)
        assert "A green kite" not in plain(await here.nora.command("jobs"))
        assert len(here.discord.in_channel(PHOTO_DESK)) == public
        assert len(here.discord.in_channel(told.id)) == 1
