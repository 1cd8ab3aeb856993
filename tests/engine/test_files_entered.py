"""A job without a photo, and a setting, run through few of the bot's files: their ways can be read."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from unittest.mock import AsyncMock

import pytest
from discord import Message

from bench.machine.work import desk_at_work
from tests.support.desk import Desk, answer_of, pieces, texts
from tests.support.patience import until

ROOT = Path(__file__).parents[2]
MAX_BEFORE_THE_ANSWER = 41
MAX_IN_ALL = 82  # with what a busy machine adds, as a deferral
# Panels that are shown; a budget or a grant that is set, with the ledger and the log channel.
MAX_FOR_RESULTS, MAX_FOR_PHOTOS, MAX_FOR_CREDITS = 13, 16, 17
MAX_FOR_A_BUDGET, MAX_FOR_A_GRANT = 16, 17
ASKING = ("bot/ui/", "bot/client/", "cogs/")
MAX_BEHIND = 12  # of those that do what was asked for


@contextmanager
def entered() -> Generator[set[str]]:
    """Note the files of the bot in which a function is called."""
    files = set[str]()

    def note(frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
        if event == "call" and file.startswith(("bot/", "cogs/")):
            files.add(file)

    sys.setprofile(note)
    try:
        yield files
    finally:
        sys.setprofile(None)


async def test_a_command_runs_through_few_files_until_its_answer(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    with entered() as files:
        shown = await desk.maya.slash(desk.channel, "studio", prompt="A blue kite")
    assert "A blue kite" in texts(shown)
    assert {"bot/jobs/accept.py", "cogs/tools.py"} <= files
    assert len(files) <= MAX_BEFORE_THE_ANSWER, sorted(files)


async def test_a_command_runs_through_few_files_until_its_result(tmp_path: Path) -> None:
    async with desk_at_work(tmp_path) as desk:

        async def result(prompt: str) -> Message:
            asked = answer_of(await desk.maya.slash(desk.channel, "studio", prompt=prompt)).id
            return await until(lambda: next((one for one in desk.channel.history() if one.id > asked), None))

        await result("A red kite")
        with entered() as files:
            shown = await result("A blue kite")
        assert "A blue kite" in texts(shown)
        assert {"bot/jobs/accept.py", "bot/engine/lanes.py", "bot/delivery/posts.py"} <= files
        assert len(files) <= MAX_IN_ALL, sorted(files)


@pytest.mark.parametrize(
    ("command", "typed", "most"),
    [
        ("results", {}, MAX_FOR_RESULTS),
        ("photos", {}, MAX_FOR_PHOTOS),
        ("credits", {}, MAX_FOR_CREDITS),
        ("budget", {"credits": 200}, MAX_FOR_A_BUDGET),
        ("grant", {"credits": 5}, MAX_FOR_A_GRANT),
    ],
)
@pytest.mark.world(key=False)
async def test_a_settings_command_runs_through_few_files(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, command: str, typed: dict[str, int], most: int
) -> None:
    monkeypatch.setattr(desk.outbox, "work", AsyncMock())  # it does after each answer what waits
    with entered() as files:
        shown = await desk.admin.slash(desk.channel, f"studii {command}", **typed)
    assert pieces(shown)
    assert {"bot/ui/kit/answers.py", "cogs/commands.py"} <= files
    assert len(files) <= most, sorted(files)
    behind = sorted(file for file in files if not file.startswith(ASKING))
    assert len(behind) <= MAX_BEHIND, behind
