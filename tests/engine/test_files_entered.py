"""A job without a photo runs through few of the bot's files, so that its whole way can be read."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from sandbox.studii import Options, StudiiServer
from tests.support.simulated.people import Person, answer_of, text_of
from tests.support.simulated.stage import open_stage

ROOT = Path(__file__).parents[2]
MAX_BEFORE_THE_ANSWER, MAX_IN_ALL = 60, 91


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


async def test_a_command_runs_through_few_files_until_its_answer_and_until_its_result(tmp_path: Path) -> None:
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        open_stage(studii, tmp_path) as stage,
    ):
        admin, maya = Person(stage, stage.world.admin), Person(stage, stage.world.maya)
        await admin.set_key(studii.add_key("team").secret)
        await maya.result_of(await maya.command("studio", prompt="A red kite"))
        with entered() as before:
            shown = await maya.command("studio", prompt="A blue kite")
        with entered() as after:
            assert "A blue kite" in text_of(await maya.result_of(shown))
        assert "A blue kite" in text_of(answer_of(shown))
        assert {"bot/jobs/accept.py", "cogs/tools.py"} <= before
        assert "bot/delivery/results.py" in before | after
        assert len(before) <= MAX_BEFORE_THE_ANSWER, sorted(before)
        assert len(before | after) <= MAX_IN_ALL, sorted(before | after)
