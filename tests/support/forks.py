"""A process that has imported the bot, has run it once, and forks for each program: what it would import,
compile and translate anew is there already.

A forked process has its own arguments, folder, environment, pipes, signals and exit status. One nursery
serves all of pytest-xdist's workers, and ends with the last of them.
"""

import asyncio
import atexit
import errno
import gc
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any, NoReturn, Self

import pytest

from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
MAX_REQUEST_BYTES = 65_536  # bytes of a request
_CHUNK = 65_536
# By the file descriptor that shows a process's end: its number, and the pipe to which both are written.
_Running = dict[int, tuple[int, int]]
_LOADED_LATE = (
    "sandbox.discord.launch",
    "tests.cluster.shortened",
    "tests.stories.later",
    "alembic.command",
    "asyncpg",
    "encodings.idna",
    "rich.console",
    "rich.table",
    "sqlalchemy.dialects.postgresql.asyncpg",
)


class ForkedProcess:
    """A command of the bot, with as much of `asyncio.subprocess.Process` as the tests use."""

    def __init__(self, pid: int, stdin: int, status: asyncio.StreamReader) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout = asyncio.StreamReader()
        self.stderr = asyncio.StreamReader()
        self._stdin = stdin
        self._transports: list[asyncio.BaseTransport] = []
        self._ending = asyncio.create_task(self._end(status))

    @classmethod
    async def start(cls, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Self:
        """Fork off `sandbox.discord.launch` with these arguments."""
        pipes = [os.pipe() for _ in range(3)]
        (its_stdin, stdin), (stdout, its_stdout), (stderr, its_stderr) = pipes
        status, its_status = os.pipe()
        its_own = [its_stdin, its_stdout, its_stderr, its_status]
        _fork_off(arguments, folder, environment, its_own)
        reader = asyncio.StreamReader()
        transport = await _read(status, reader)
        process = cls(int(await reader.readline()), stdin, reader)
        process._transports = [
            transport,
            await _read(stdout, process.stdout),
            await _read(stderr, process.stderr),
        ]
        return process

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def communicate(self, given: bytes | None = None) -> tuple[bytes, bytes]:
        """Write to its standard input, close that, and return what it wrote until its end."""
        writing = asyncio.to_thread(self._write, given or b"")
        out, errors, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), writing)
        await self._ending
        for transport in self._transports:
            transport.close()
        return out, errors

    def _write(self, given: bytes) -> None:
        if self._stdin < 0:
            return
        with suppress(BrokenPipeError):
            while given:
                given = given[os.write(self._stdin, given[:_CHUNK]) :]
        os.close(self._stdin)
        self._stdin = -1

    async def _end(self, status: asyncio.StreamReader) -> None:
        self.returncode = int(await status.readline())


def _fork_off(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], fds: Sequence[int]
) -> None:
    request = json.dumps([list(arguments), str(folder), dict(environment)]).encode()
    socket.send_fds(_nursery(), [request], fds)
    for fd in fds:
        os.close(fd)


async def _read(fd: int, reader: asyncio.StreamReader) -> asyncio.BaseTransport:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", 0)
    )
    return transport


@cache
def _nursery() -> socket.socket:
    """Return what leads to the nursery, which is started if no other worker has done so."""
    # Linux keeps such a name for as long as a process listens there.
    name = f"\0studii-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    process: subprocess.Popen[bytes] | None = None
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        try:
            listening.bind(name)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:  # another worker was first
                raise
        else:
            listening.listen()
            process = _started(listening)
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ended = monotonic() + PATIENCE
    while ours.connect_ex(name) != 0 and monotonic() < ended:
        sleep(0.01)  # between the two calls above

    def close() -> None:
        ours.close()
        if process is not None:
            process.wait()

    atexit.register(close)
    return ours


def _started(listening: socket.socket) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603
        (sys.executable, "-m", "tests.support.forks", str(listening.fileno())),
        cwd=ROOT,
        pass_fds=[listening.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def serve(listening: socket.socket) -> int:
    """Fork for each request until no pytest process is connected any more."""
    gc.disable()  # nothing that is loaded goes again
    _load()
    gc.collect()
    gc.freeze()  # a collection at a fork's end would copy every page: most of its time
    gc.enable()
    sockets = [listening]
    running: _Running = {}
    while True:
        for one in select.select([*sockets, *running], (), ())[0]:
            if isinstance(one, int):
                _tell_end(one, *running.pop(one))
                continue
            if one is listening:
                sockets.append(one.accept()[0])
                continue
            request, fds, _, _ = socket.recv_fds(one, MAX_REQUEST_BYTES, 4)
            if request:
                _fork(request, fds, sockets, running)
                continue
            one.close()
            sockets.remove(one)
            if sockets == [listening]:
                return 0


def _fork(request: bytes, fds: list[int], sockets: Sequence[socket.socket], running: _Running) -> None:
    *its_own, status = fds
    if (pid := os.fork()) == 0:
        for one in sockets:
            one.close()
        for handle, (_, other) in running.items():
            os.close(handle)
            os.close(other)
        arguments, folder, environment = json.loads(request)
        _become(folder, environment, fds)
        _end(_bot(arguments, environment))
    for fd in its_own:
        os.close(fd)
    running[os.pidfd_open(pid)] = pid, status
    _tell(status, pid)


def _tell_end(handle: int, pid: int, status: int) -> None:
    os.close(handle)
    _tell(status, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(status)


def _tell(status: int, number: int) -> None:
    with suppress(BrokenPipeError):  # the test has ended already
        os.write(status, b"%d\n" % number)


def _load() -> None:
    import bot.cli
    from bot.client.bot import EXTENSIONS
    from bot.languages import load_all

    others = [f"bot.cli.{one.name}" for one in pkgutil.iter_modules(bot.cli.__path__)]
    for name in (*EXTENSIONS, *others, *_LOADED_LATE):
        import_module(name)
    load_all()
    run_once()


def _become(folder: str, environment: dict[str, str], fds: list[int]) -> None:
    for number, fd in enumerate(fds[:3]):
        os.dup2(fd, number)
    for fd in fds:
        os.close(fd)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _bot(arguments: list[str], environment: dict[str, str]) -> int:
    from bot.__main__ import main
    from sandbox.discord.launch import point_to
    from tests.cluster.shortened import shorten
    from tests.stories.later import set_clock

    shorten(environment)
    set_clock(environment)
    point_to(*arguments[:2])
    return main(arguments[2:])


def _end(code: int) -> NoReturn:
    """End as an interpreter does, without taking apart each module that is loaded: most of its time."""
    threading._shutdown()  # type: ignore[attr-defined] # pyright: ignore
    atexit._run_exitfuncs()  # pyright: ignore
    gc.collect()  # what became of tasks and connections that nobody ended is said
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


_WORKS = 1.0  # seconds that it works for once it is connected: what it does first is done then
_WITHIN = 60.0  # seconds until it has to be connected
_TOLD_WITHIN = 0.4  # seconds; two in earnest
_SERVER = 1 << 30
_PYTHONS_OWN = (700, 10, 10)  # when garbage is collected


def run_once() -> None:
    """Run the bot in this process, against a Discord in another, and stop it soon.

    Processes that are forked off later share what it has loaded, compiled and translated.
    """
    from tests.support.cheap import share_extensions, share_payloads, share_statements, share_upgrades

    forever = pytest.MonkeyPatch()
    share_extensions(forever)
    share_payloads(forever)
    share_upgrades(forever)
    share_statements()
    _be_ready_soon()
    with TemporaryDirectory() as folder:
        _run(Path(folder))
    gc.set_threshold(*_PYTHONS_OWN)
    if threading.enumerate() != [threading.main_thread()]:
        raise RuntimeError(f"threads that would be missing in a fork: {threading.enumerate()}")


def _be_ready_soon() -> None:
    """Let bots wait less for servers that Discord may still tell of, which the sandbox tells at once."""
    from bot import app
    from bot.client.bot import StudiiBot

    class SoonReady(StudiiBot):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._connection.guild_ready_timeout = _TOLD_WITHIN

    app.StudiiBot = SoonReady  # type: ignore[misc]


def _run(folder: Path) -> None:
    from bot.__main__ import main
    from sandbox.discord.emulator import TOKEN
    from sandbox.discord.launch import point_to

    environment = {"DISCORD_TOKEN": TOKEN, "STUDII_API_URL": "http://127.0.0.1:9"}
    addresses, told = os.pipe()
    discord = os.fork()
    if not discord:
        asyncio.run(_discord(os.getppid(), told))
        os._exit(0)
    os.close(told)
    log = folder / "log"
    with os.fdopen(addresses) as told_here, pytest.MonkeyPatch.context() as patch, _logging_to(log):
        for name in os.environ:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        point_to(*told_here.readline().split())
        status = main(["run"])
    os.kill(discord, signal.SIGKILL)
    os.waitpid(discord, 0)
    if status or b"Ready as" not in log.read_bytes():
        raise RuntimeError(log.read_text())


async def _discord(bot: int, told: int) -> None:
    from sandbox.discord.emulator import DiscordServer

    async with DiscordServer(guilds=[_SERVER], message_content=True) as discord:
        with os.fdopen(told, "w") as addresses:
            addresses.write(f"{discord.api} {discord.cdn_address}\n")
        with suppress(TimeoutError):
            await asyncio.wait_for(discord.ready.wait(), _WITHIN)
        await asyncio.sleep(_WORKS)
        os.kill(bot, signal.SIGTERM)
        await asyncio.sleep(_WITHIN)  # until it is killed


@contextmanager
def _logging_to(file: Path) -> Generator[None]:
    """Send to the file what goes to standard error meanwhile."""
    kept = os.dup(2)
    with file.open("wb") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


if __name__ == "__main__":
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))
