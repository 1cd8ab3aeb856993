"""Load the tests' modules once for all of pytest-xdist's workers, which are forked off the process that did.

A worker has its own arguments, pipes, collection and fixtures: only its imports are done. All have one
PostgreSQL, in which each test makes databases of its own.
"""

import atexit
import gc
import os
import select
import shlex
import socket
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import pytest

_STANDARD_FILES = 3
_MAX_BYTES = 1000  # of a request, and of an answer
_loaders: list[str] = []  # in a worker: where the process listens that it was forked off
_LINK = Path(__file__).with_name("worker_link.py")


def fork_workers(config: pytest.Config, specs: Sequence[Any]) -> None:
    """Let the workers be forked off one process, which begins to load the tests' modules.

    Where a system isn't Linux, each worker loads them for itself.
    """
    if sys.platform != "linux":
        return
    name = f"studii-workers-{os.getpid()}"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(f"\0{name}")
    listening.listen()
    ends, held = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    config.get_terminal_writer().flush()
    pid = os.fork()
    if pid == 0:
        os.close(held)
        _serve(config, listening, ends)
    listening.close()
    os.close(ends)
    for spec in specs:
        spec.python = shlex.join((sys.executable, "-S", "-E", str(_LINK), name))

    def end() -> None:
        os.close(held)
        os.waitpid(pid, 0)

    config.add_cleanup(end)


@cache
def shared_postgresql() -> str | None:
    """Return the address of the server of all workers, which has the template, or None if they share none."""
    if not _loaders:
        return None
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as loader:
        loader.connect(f"\0{_loaders[0]}")
        loader.send(b"postgresql")
        return loader.recv(_MAX_BYTES).decode() or None
    return None


def _serve(config: pytest.Config, listening: socket.socket, ends: int) -> NoReturn:
    """Load the modules, and answer requests until the first pytest process ends."""
    workers: list[int] = []
    try:
        gc.disable()
        _load(config)
        with suppress(Exception):  # tests meet the error again, and report it
            import_module("tests.support.cheap.first_steps").take_first_steps()
        gc.collect()
        gc.freeze()
        _loaders.append(listening.getsockname()[1:].decode())
        with ExitStack() as stack:
            address = cache(lambda: _postgresql(stack))
            while ends not in select.select((listening, ends), (), ())[0]:
                link, _ = listening.accept()
                _, files, _, _ = socket.recv_fds(link, _MAX_BYTES, _STANDARD_FILES)
                if files:
                    workers.append(_fork(link, files, (listening.fileno(), ends)))
                else:
                    link.send(address().encode())
                link.close()
        for worker in workers:
            os.waitpid(worker, 0)
    except KeyboardInterrupt:
        pass
    finally:
        os._exit(0)


def _postgresql(stack: ExitStack) -> str:
    """Start a server. An error ends this process; workers start their own then, and tell why they can't."""
    from tests.support.postgresql import make_template, server

    running = stack.enter_context(server())
    make_template(running.url)
    return running.url


def _fork(link: socket.socket, files: list[int], ours: Iterable[int]) -> int:
    worker = os.fork()
    if worker == 0:
        for file in ours:
            os.close(file)
        _become_worker(link, files)
    for file in files:
        os.close(file)
    return worker


def _become_worker(link: socket.socket, files: list[int]) -> NoReturn:
    """Do what the line does that execnet sends to an interpreter that it has started.

    `link` closes with this process, which the one that asked for it waits for.
    """
    status = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode, 1) for n, mode in enumerate("rww"))
        atexit._clear()  # pyright: ignore
        gc.enable()
        exec(eval(sys.stdin.readline()), {"__name__": "__main__"})  # noqa: S102, S307
        threading._shutdown()  # type: ignore[attr-defined] # pyright: ignore
        atexit._run_exitfuncs()  # pyright: ignore
        status = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        link.close()
        os._exit(status)


def _load(config: pytest.Config) -> None:
    files = _files(config)
    names = [_name(path, config.rootpath) for path in files]
    with warnings.catch_warnings():
        # As they are when pytest imports them.
        filters: Any = import_module("_pytest.config").apply_warning_filters
        filters(config.getini("filterwarnings"), config.known_args_namespace.pythonwarnings or ())
        if sys.dont_write_bytecode or _compiled(files):
            _import(names)
            return
        # To rewrite the assertions of a fresh checkout takes long: another process begins at the other end.
        helper = os.fork()
        if helper == 0:
            _import(names[::-1])
            os._exit(0)
        _import(names)
        os.waitpid(helper, 0)


def _import(names: Iterable[str]) -> None:
    """Import the modules. The worker that collects a module's tests meets its error again, and reports it."""
    for name in names:
        with suppress(Exception, pytest.skip.Exception):
            import_module(name)


def _compiled(files: Sequence[Path]) -> bool:
    return all(any(one.parent.glob(f"__pycache__/{one.stem}.*-pytest-*.pyc")) for one in files)


def _files(config: pytest.Config) -> list[Path]:
    """Return the files in which pytest looks for tests."""
    asked = {config.invocation_params.dir / one.partition("::")[0] for one in config.args}
    found = {file for path in asked for file in (path.rglob("test_*.py") if path.is_dir() else [path])}
    return sorted(found)


def _name(path: Path, root: Path) -> str:
    return ".".join(path.resolve().relative_to(root).with_suffix("").parts)
