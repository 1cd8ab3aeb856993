"""Run the commands of the command line, each with only the settings that it needs."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bot import app
from bot.cli.health import not_opened, say
from bot.client.bot import quiet_discord_loggers
from bot.config import Settings, StorageSettings
from bot.errors import SettingsError
from bot.monitoring import configure_logging

# The other commands are imported inside: a running bot has no use for them, nor for what shows their results.


def run_command(command: str, argument: str | None) -> int:
    """Run the command and return the process's exit status. Raises `StudiiBotError`."""
    quiet_discord_loggers()
    if command == "run":
        settings = Settings.read()
        configure_logging(settings.log_level, settings.log_format)
        asyncio.run(app.run(settings))
        return 0
    # Every other command prints only its result.
    configure_logging("ERROR", "text")
    if command == "doctor":
        from rich.console import Console

        from bot.cli.doctor import examine, show

        return 0 if show(asyncio.run(examine(Settings.read())), Console()) else 1
    # As Ctrl-C does, so that what is half done is removed, also while a pipe's other end does nothing.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        words = _done(command, argument or "")
    except OSError as error:
        if (words := not_opened(error)) is None:
            raise
        raise SettingsError(words) from error
    # Where the backup goes to standard output, the words must not stand in it.
    say(words, sys.stderr if (command, argument) == ("backup", "-") else sys.stdout)
    return 0


def _done(command: str, argument: str) -> str:
    """Run the command, and return the words about its result."""
    from bot.cli.maintenance import (
        backup,
        forget_servers,
        invitation,
        move,
        restore,
        restored,
        rotate,
        with_password,
    )

    if command in {"backup", "restore"}:
        return (backup if command == "backup" else restore)(StorageSettings.read(), Path(argument))
    commands: dict[str, Callable[[], Coroutine[Any, Any, str]]] = {
        "invite": lambda: invitation(Settings.read()),
        "forget-servers": lambda: forget_servers(Settings.read()),
        "restored": lambda: restored(StorageSettings.read()),
        "move": lambda: move(StorageSettings.read(), with_password(argument)),
        "rotate-keys": lambda: rotate(StorageSettings.read()),
    }
    return asyncio.run(commands[command]())
