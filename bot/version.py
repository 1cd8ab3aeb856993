"""The version. Its one home is pyproject.toml, which the image holds too."""

from pathlib import Path

# Not parsed: that takes 10 ms.
_PROJECT = (Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8")
VERSION = _PROJECT.partition('\nversion = "')[2].partition('"')[0]
