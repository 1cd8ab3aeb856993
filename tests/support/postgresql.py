"""A PostgreSQL server of our own, where Debian's package is installed: on loopback, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """Where Debian keeps the newest version's programs; None where it is not installed."""
    found = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def server(folder: Path) -> Generator[str]:
    """SQLAlchemy's address of a server whose data lies in a new folder beneath `folder`."""
    place = Path(tempfile.mkdtemp(dir=folder))
    data, port, tools = place / "data", _free_port(), programs()
    if tools is None:
        raise FileNotFoundError(PROGRAMS)
    as_owner = _as_owner(place)
    _run([*as_owner, str(tools / "initdb"), "-D", str(data), "-U", "studii", "-A", "trust", "--no-sync"])
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    control = [*as_owner, str(tools / "pg_ctl"), "-D", str(data), "-w", "-l", str(place / "log")]
    try:
        _run([*control, "-o", options, "start"])
        yield f"postgresql+asyncpg://studii@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], capture_output=True, check=False)  # noqa: S603
        shutil.rmtree(place, ignore_errors=True)


def _as_owner(place: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as the user that its package made."""
    if os.geteuid() != 0:
        return []
    owner = pwd.getpwnam("postgres")
    os.chown(place, owner.pw_uid, owner.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _run(command: list[str]) -> None:
    # No pipes: the server would keep them open for as long as it runs.
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", check=True)  # noqa: S603


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
