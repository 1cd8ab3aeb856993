"""Has everything imported, and starts lives from there: each is a process, and costs no start of Python.

Reads one life a line, and answers each with how it ended (the exit status, or minus the signal). The first
life is lived here: those after it then find loaded what is loaded when it is first used.
"""

import gc
import json
import os
import sys
import traceback
import warnings
from collections.abc import Sequence

from tests.crash.life import Life, live

FORKS = "forks"  # an argument: lives fork their decoders, too


def main(arguments: Sequence[str]) -> int:
    warnings.simplefilter("ignore")
    forks = FORKS in arguments
    lives = (Life(**json.loads(line)) for line in sys.stdin)
    _answer(live(next(lives), forks=forks))
    gc.collect()
    gc.freeze()  # what is there stays shared with the children, as nothing writes to it
    for life in lives:
        child = os.fork()
        if child == 0:
            _live_and_end(life, forks=forks)
        _, status = os.waitpid(child, 0)
        _answer(os.waitstatus_to_exitcode(status))
    return 0


def _live_and_end(life: Life, *, forks: bool) -> None:
    code = 70
    try:
        code = live(life, forks=forks)
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _answer(code: int) -> None:
    sys.stdout.write(f"{code}\n")
    sys.stdout.flush()
