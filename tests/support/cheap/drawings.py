"""Draw each kind of the sandbox's outputs once for a whole pytest process.

No two jobs' outputs have the same bytes all the same: each says its job's seed where nothing is shown.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.studii import Output

_COMMENT, _FREE = b"\xff\xfe", b"free"
_drawn: dict[tuple[object, ...], "Output"] = {}


def share_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's Studii hand out what others have drawn, if it is the same but for its seed."""
    # Not by pytest's first process, which runs no tests and starts the others once it has loaded this module.
    from sandbox.studii import outputs

    draw = outputs.render

    def share(request: Any, source: bytes | None, seed: int, long_side: int) -> "Output":
        key = (request.tool, request.kind, request.inputs.get("aspect_ratio"), source, long_side)
        if key not in _drawn:
            _drawn[key] = draw(request, source, seed, long_side)
        return _with_seed(_drawn[key], b"%d" % seed)

    monkeypatch.setattr(outputs, "render", share)


def _with_seed(output: "Output", seed: bytes) -> "Output":
    data = output.data
    if output.content_type == "video/mp4":
        return replace(output, data=data + (8 + len(seed)).to_bytes(4) + _FREE + seed)
    # Behind the first segment of a JPEG, which says that it is one.
    begun = 4 + int.from_bytes(data[4:6])
    comment = _COMMENT + (2 + len(seed)).to_bytes(2) + seed
    return replace(output, data=data[:begun] + comment + data[begun:])
