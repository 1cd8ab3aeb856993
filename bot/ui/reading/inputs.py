"""Inputs of tools that are typed in one line."""

import re

from bot.errors import Refused
from bot.languages import lazy


def inputs_from(typed: str | None) -> dict[str, str]:
    """Parse `style=rustic, room=bedroom`. Raises `Refused` for anything else."""
    inputs: dict[str, str] = {}
    for piece in re.split(r",(?=\s*\w+\s*=)", typed or ""):
        name, sign, value = piece.partition("=")
        if not piece.strip():
            continue
        if not (sign and name.strip() and value.strip()):
            raise Refused(
                lazy("Write `inputs` as name=value pairs, separated by commas: style=rustic, room=bedroom")
            )
        inputs[name.strip().lower()] = value.strip()
    return inputs
