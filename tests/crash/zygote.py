"""Has everything imported, and starts lives from there: each is a process, and costs no start of Python.

Reads one life a line, and answers each with how it ended: the exit status, or minus the signal.
"""

import json
import os
import sys
import traceback

from tests.crash.life import Life, live


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = live(Life(**json.loads(line)))
            except BaseException:  # noqa: BLE001 - the process ends here, whatever it was
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
