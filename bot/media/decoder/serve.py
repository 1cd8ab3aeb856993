"""The decoder's side of the pipe. Requests and answers are lines of JSON.

The answers to `fit`, `label` and `split` are followed by the picture's bytes. The other end is
`bot/media/decoder_process.py`.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from bot.media.decoder import operations
from bot.media.decoder.operations import Refusal
from bot.media.decoder.process_limits import ProcessLimits

_OPERATIONS: dict[str, Callable[..., dict[str, Any] | bytes | None]] = {
    "probe": operations.probe,
    "inspect": operations.inspect,
    "lighten": operations.lighten,
    "check": operations.check,
    "split": operations.split,
    "fit": operations.fit,
    "label": operations.label,
}
_OF_THE_PROCESS = frozenset({"do", "memory", "seconds"})  # of a request; all else is the operation's
_PATHS = frozenset({"path", "into", "before"})


def serve() -> None:
    """Answer requests until the pipe is closed."""
    # The output of libraries goes nowhere; answers have a file of their own.
    answers = os.fdopen(os.dup(1), "wb")
    limits = ProcessLimits(parent=int(sys.argv[1]))
    operations.prepare()
    _answer(answers, {"ready": os.getpid(), "missing": limits.missing, "resting": limits.resting()})
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _answer(answers, {"taken": True})
        limits.renew(request["memory"] + 2 * _size(request["path"]), request["seconds"])
        words, data = _handled(request)
        words["resting"] = limits.resting()
        _answer(answers, words, data)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _answer(answers: BinaryIO, words: dict[str, Any], data: bytes = b"") -> None:
    answers.write(json.dumps(words).encode() + b"\n" + data)
    answers.flush()


def _handled(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    arguments = {
        name: Path(value) if name in _PATHS else value
        for name, value in request.items()
        if name not in _OF_THE_PROCESS
    }
    try:
        result = _OPERATIONS[request["do"]](**arguments)
    except Refusal as refusal:
        return {"refused": refusal.why, **refusal.facts}, b""
    except MemoryError:
        return {"failed": "memory"}, b""
    except OSError as error:
        return {"error": error.errno}, b""
    if isinstance(result, bytes):
        return {"bytes": len(result)}, result
    return result or {}, b""
