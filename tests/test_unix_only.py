"""Nothing that only Unix has is needed to import the bot, which would not start on Windows otherwise."""

import subprocess
import sys

import pytest

# What is taken away is missing on Windows, and a part of it on macOS. Python's own modules need some of it,
# as they are those for Unix here. A decoder's `__main__` answers requests as soon as it is imported.
PROGRAM = """
import asyncio, ctypes, importlib, multiprocessing, os, pkgutil, signal, subprocess, sys, tempfile

for name in "crypt curses fcntl grp nis pty pwd readline resource spwd syslog termios tty".split():
    sys.modules[name] = None
for name in '''
    chown chroot eventfd fchmod fchown fork forkpty getegid geteuid getgid getgroups getloadavg getpgid
    getpriority getuid killpg memfd_create mkfifo mknod nice pipe2 posix_fadvise posix_fallocate posix_spawn
    pread pwrite register_at_fork sched_getaffinity sched_setaffinity sendfile setpriority setsid setuid
    splice statvfs sync sysconf uname wait3 wait4
    O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK O_TMPFILE WNOHANG
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
    "bot.cli.commands",
    "bot.media.decoder.serve",
    "cogs.reactions",
    "cogs.studii",
}


@pytest.mark.promise
def test_all_of_the_bot_can_be_imported_without_what_only_some_systems_have() -> None:
    shown = subprocess.run(  # noqa: S603 - a program of our own
        # Libraries may say that something is missing.
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        check=False,
        text=True,
    )
    assert shown.returncode == 0, shown.stderr
    assert set(shown.stdout.split()) >= STARTING
