"""The smallest file of tools that an operator may write, and its place."""

from pathlib import Path

GOOD = """
[studio]
title = "Studio"
summary = "Make a picture"
emoji = "🎨"
source = "optional"
output = "image"
assumed_cost = 8
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "my-tools.toml"
    file.write_text(text, encoding="utf-8")
    return file
