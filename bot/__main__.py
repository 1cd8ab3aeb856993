"""The command line: `python -m bot run`, and the commands of operators."""

import argparse
import gc
import signal
import sys
from collections.abc import Sequence

from bot.cli.health import health, not_opened, say
from bot.errors import SettingsError, StudiiBotError
from bot.version import VERSION

INTERRUPTED_STATUS = 130  # as shells have it: 128 and the number of SIGINT

# What each does, and what its argument is called.
COMMANDS = {
    "run": ("run the bot with the settings from the environment and .env", None),
    "doctor": ("find what a start doesn't say; fails if something stops the bot", None),
    "invite": ("print the address that adds the bot to a server", None),
    "backup": (
        "copy the database to a new file (- for standard output); the bot can be running",
        "FILE",
    ),
    "restore": (
        "replace the database with a backup (- for standard input); stop the bot first",
        "FILE",
    ),
    "restored": (
        "after pg_restore: don't send again the jobs that waited in the backup; stop the bot first",
        None,
    ),
    "move": (
        "copy everything from the SQLite database to an empty PostgreSQL; stop the bot first",
        "POSTGRESQL_URL",
    ),
    "rotate-keys": ("encrypt the Studii keys with a new encryption key; stop the bot first", None),
    "forget-servers": ("forget the servers that doctor lists as having removed the bot", None),
    "health": ("check the running bot's health (HEALTH_PORT); fails if it isn't healthy", None),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in the arguments. Return the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Studii for Discord.")
    parser.set_defaults(argument=None)
    parser.add_argument("--version", action="version", version=f"Studii for Discord {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (does, argument) in COMMANDS.items():
        command = commands.add_parser(name, help=does)
        if argument is not None:
            command.add_argument("argument", metavar=argument)
    try:
        given = parser.parse_args(arguments)
        return _ran(given.command, given.argument)
    except StudiiBotError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED_STATUS


def _ran(command: str, argument: str | None) -> int:
    # Imports are inside: the health check runs every minute, and imports a tenth of what the others need. A
    # running bot has no use for the other commands, nor for what shows their results.
    if command == "health":
        return health()
    if command == "run":
        gc.disable()  # a sixth of the imports' time, for nothing that could go; the bot enables it
    import asyncio

    from bot.config import Settings
    from bot.monitoring import configure_logging

    if command == "run":
        from bot import app

        settings = Settings.read()
        configure_logging(settings.log_level, settings.log_format)
        asyncio.run(app.run(settings))
        return 0
    configure_logging("ERROR", "text")  # every other command prints only its result
    if command == "doctor":
        from bot.cli.doctor import examine, show

        return 0 if show(asyncio.run(examine(Settings.read()))) else 1
    from bot.cli.maintenance import COMMANDS as DONE_AT_ONCE

    # As Ctrl-C does, so that what is half done is removed, also while a pipe's other end does nothing.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        words = DONE_AT_ONCE[command](argument or "")
    except OSError as error:
        if (words := not_opened(error)) is None:
            raise
        raise SettingsError(words) from error
    # Where the backup goes to standard output, the words must not stand in it.
    say(words, sys.stderr if (command, argument) == ("backup", "-") else sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
