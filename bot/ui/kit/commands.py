"""Commands that texts name, in the form that Discord shows as links."""

import re
from collections.abc import Mapping

_NAMED = re.compile(r"`/([a-z0-9_-]+(?: [a-z0-9_-]+)*)`")
_ids: dict[str, int] = {}


def know_commands(ids: Mapping[str, int]) -> None:
    """Let texts link these commands: the ids that Discord gave them, by their whole names."""
    _ids.clear()
    _ids.update(ids)


def linked(text: str) -> str:
    """Return the text with a link for each `/command` that is known; others stay as they are."""
    return _NAMED.sub(lambda found: f"</{found[1]}:{_ids[found[1]]}>" if found[1] in _ids else found[0], text)
