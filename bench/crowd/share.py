"""A slower machine: one core, or a part of one, for a process and its children."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import sleep

V1, V2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
PERIOD = 20_000  # microseconds
NAME = "studii-bench"
# Enters the group, and becomes the command.
ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
ENDS = 5  # tenths of a second in which the group empties


@contextmanager
def part_of_core(part: float | None, core: str = "0") -> Generator[Sequence[str]]:
    """Provide what stands before a command, so that it has the one core, or that part of it, alone.

    Less than a whole one takes the right to make control groups (root). Raises OSError without.
    """
    if part is None:
        yield ()
        return
    pinned = ("taskset", "-c", core)
    if part >= 1:
        yield pinned
        return
    group = _limited(part)
    try:
        yield ("sh", "-c", ENTER, str(group), *pinned)
    finally:
        for _ in range(ENDS):
            if not (group / "cgroup.procs").read_text().strip():
                break
            sleep(0.1)
        group.rmdir()


def _limited(part: float) -> Path:
    """Make a control group with that part of a core."""
    if V1.is_dir():
        group = V1 / NAME
        group.mkdir(exist_ok=True)
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(int(part * PERIOD)))
    else:
        group = V2 / NAME
        group.mkdir(exist_ok=True)
        (group / "cpu.max").write_text(f"{int(part * PERIOD)} {PERIOD}")
    return group
