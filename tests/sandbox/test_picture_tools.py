"""The tools that draw the README's pictures, as they are called on a command line."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import example_pictures, offer_picture, panel_pictures, usage_picture


@pytest.mark.parametrize(
    "main", [example_pictures.main, offer_picture.main, panel_pictures.main, usage_picture.main]
)
def test_asking_a_picture_tool_for_help_draws_nothing(
    main: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["a tool", "--help"])
    monkeypatch.setattr(example_pictures, "EXAMPLES", tmp_path / "examples")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert not list(tmp_path.iterdir())
