"""What a start imports: nothing that it may never need, and nothing that only Unix has."""

import subprocess
import sys
from functools import cache

import pytest

UNUSED = {
    "PIL",
    "aiohttp.web",
    "alembic",
    "asyncpg",
    "bot.cli.doctor",
    "mako",
    "matplotlib",
    "multiprocessing.pool",
    "numpy",
    "pydantic_core",
    "pygal",
    "pygments",
    "rich",
    "sqlalchemy.dialects.postgresql",
}


# All that a bot imports: the cogs are loaded by name.
BOT = """
import importlib, sys
import bot.app
from bot.client.bot import EXTENSIONS
for name in EXTENSIONS:
    importlib.import_module(name)
print(*sys.modules)
"""
# All that the processes that open pictures import.
DECODER = """
import sys
import bot.media.decoder.serve
print(*sys.modules)
"""


@pytest.mark.promise
def test_the_bot_imports_nothing_that_it_may_never_need() -> None:
    assert not UNUSED & set(said_by(BOT))


@pytest.mark.promise
def test_the_processes_that_open_pictures_import_nothing_of_the_bot_but_its_media() -> None:
    own = {name for name in said_by(DECODER) if name.startswith("bot.")}
    assert {name for name in own if not f"{name}.".startswith("bot.media.")} == set()
    assert "bot.media.kinds" in own


@cache
def said_by(program: str) -> list[str]:
    """Return the words that a program prints, which is run once."""
    shown = subprocess.run(  # noqa: S603 - a program of our own
        [sys.executable, "-W", "ignore", "-c", program],  # libraries may say that something is missing
        capture_output=True,
        check=True,
        text=True,
    )
    return shown.stdout.split()


# What is taken away is missing on Windows, and a part of it on macOS. Python's own modules need some of it,
# as they are those for Unix here. A decoder's `__main__` answers requests as soon as it is imported.
EVERYTHING = """
import asyncio, ctypes, importlib, multiprocessing, os, pkgutil, signal, subprocess, sys, tempfile

for name in "crypt curses fcntl grp nis pty pwd readline resource spwd syslog termios tty".split():
    sys.modules[name] = None
for name in '''
    chown chroot eventfd fchmod fchown fork forkpty getegid geteuid getgid getgroups getloadavg getpgid
    getpriority getuid killpg memfd_create mkfifo mknod nice pipe2 posix_fadvise posix_fallocate posix_spawn
    pread pwrite register_at_fork sched_getaffinity sched_setaffinity sendfile setpriority setsid setuid
    splice statvfs sync sysconf uname wait3 wait4
    O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_TMPFILE WNOHANG
'''.split():
    vars(os).pop(name, None)
for name in '''
    SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 SIGXCPU SIGXFSZ
    alarm pthread_sigmask setitimer sigwait
'''.split():
    vars(signal).pop(name, None)

class Library(ctypes.CDLL):
    def __init__(self, name, *others, **more):
        if name is None:
            raise TypeError("there is no library without a name")
        super().__init__(name, *others, **more)

ctypes.CDLL = Library

import bot, cogs
for package in bot, cogs:
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.name != "bot.media.decoder.__main__":
            importlib.import_module(found.name)
print(*sys.modules)
"""
STARTING = {
    "bot.__main__",
    "bot.app",
    "bot.cli.doctor",
    "bot.cli.maintenance",
    "bot.media.decoder.serve",
    "cogs.commands",
    "cogs.events",
}


@pytest.mark.promise
def test_all_of_the_bot_can_be_imported_without_what_only_some_systems_have() -> None:
    assert set(said_by(EVERYTHING)) >= STARTING
