"""Nobody is turned away because the database takes long: the answer comes later, to whom it concerns."""

from pathlib import Path

import pytest

from tests.support.desk import Desk, keep_answers, texts
from tests.ui.jobs.late import asked, kept, late


@pytest.mark.promise
@pytest.mark.parametrize("private", [False, True])
async def test_progress_comes_late_in_place_of_what_announced_it_to_its_person_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, private: bool
) -> None:
    async with late(tmp_path, monkeypatch) as desk:
        shown = await asked(desk, desk.maya, **({"private": True} if private else {}))
        assert shown.ephemeral
        assert "A kite" in texts(shown.response)
        assert desk.channel.history() == []
        assert await kept(desk) == []


@pytest.mark.promise
async def test_an_answer_in_time_is_not_announced(desk: Desk) -> None:
    keep_answers(desk)
    shown = await desk.maya.slash(desk.channel, "studio", prompt="A kite")
    assert not shown.deferred
    assert await kept(desk) == []
