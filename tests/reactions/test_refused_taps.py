"""If what a tap needs is refused, the person who tapped gets a message."""

from pathlib import Path

import pytest

from bot.errors import Refused
from bot.reactions import photo_jobs
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, ready
from tests.support.desk import Desk, open_desk, texts


def told_tom(desk: Desk) -> list[str]:
    return [texts(one) for one in desk.tom.user.dm_channel.history()]


async def test_a_refusal_of_what_a_tap_needs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        photo = await post(desk, desk.maya, ROOM)

        async def refuse(*_: object) -> int:
            raise Refused("Not now.")

        monkeypatch.setattr(photo_jobs, "author_in", refuse)
        await desk.tom.react(photo, STAGING)
        assert await jobs_of(desk) == []
        assert "Not now." in told_tom(desk)[0]
