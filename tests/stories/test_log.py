"""What an operator reads in the log, and what stands in none."""

import json
from pathlib import Path

import pytest

from sandbox.discord.emulator import TOKEN
from tests.stories.world import ROOM, town

LIFE = ("is accepted", "Studii accepted it as", "succeeded", "is posted")


@pytest.mark.promise
async def test_a_jobs_life_is_a_line_for_each_event_and_nothing_secret_is_in_any(tmp_path: Path) -> None:
    async with town(tmp_path, LOG_LEVEL="DEBUG", LOG_FORMAT="json") as here:
        key = await here.set_key()
        await here.maya.result_after(await here.maya.command("studio", prompt="A red kite"))
        await here.maya.result_after(await here.maya.command("photo-restore", image=ROOM))
        await here.nora.change("moderation words", "rules", words="gorilla")
        await here.maya.command("studio", prompt="A gorilla with a kite")
        await here.kill()
        entries = [json.loads(line) for line in here.log]
        lives = dict[str, list[str]]()
        for one in entries:
            assert {"time", "level", "logger", "message"} <= set(one)
            if "job" in one and one["level"] == "info":
                lives.setdefault(one["job"], []).append(one["message"])
        assert len(lives) == 2
        for lines in lives.values():
            assert [word for word in LIFE for line in lines if word in line] == list(LIFE)
        log = "".join(here.log)
        private = (key.secret, TOKEN, "red kite", "gorilla", "/object/", "ex=")
        assert [one for one in private if one in log] == []
        here.settings |= {"LOG_LEVEL": "WARNING", "LOG_FORMAT": "text"}
        here.log.clear()
        await here.start()
        await here.maya.result_after(await here.maya.command("studio", prompt="A blue kite"))
        assert here.log == []
