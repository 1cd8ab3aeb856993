"""The version. Its one home is pyproject.toml, which the image holds too."""

import tomllib
from pathlib import Path

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"

VERSION: str = tomllib.loads(_PROJECT.read_text("utf-8"))["project"]["version"]
