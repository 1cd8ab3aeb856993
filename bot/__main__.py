"""The command line: `python -m bot run`, and the commands of operators."""

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.cli.output import say
from bot.errors import StudiiBotError

INTERRUPTED_STATUS = 130  # as shells have it: 128 and the number of SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in the arguments. Return the process's exit status."""
    try:
        given = new_parser().parse_args(arguments)
        return _health() if given.command == "health" else _any_other(given)
    except StudiiBotError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED_STATUS


# Imports are inside: the health check runs every minute, and imports a tenth of what the others need.


def _health() -> int:
    from bot.cli.health import healthy, where_it_listens

    well, words = healthy(*where_it_listens())
    say(words, sys.stdout)
    return 0 if well else 1


def _any_other(given: argparse.Namespace) -> int:
    # Imports leave less than half a MiB to collect. Looking for it takes a tenth of their time while they
    # run, and as much when the collector begins: what is imported stays to the end, so it is never looked at.
    gc.disable()
    from bot.command_line import run_command

    gc.freeze()
    gc.enable()
    return run_command(given)


class _Version(argparse.Action):
    """Prints the version. Unlike argparse's own action, it reads the version only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from bot.version import VERSION

        say(f"Studii for Discord {VERSION}", sys.stdout)
        parser.exit()


class _Parser(argparse.ArgumentParser):
    def print_help(self, file: Any = None) -> None:
        say(self.format_help().rstrip(), file or sys.stdout)


def new_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. What runs them is in `bot.command_line`."""
    parser = _Parser(prog="python -m bot", description="Studii for Discord.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="run the bot with the settings from the environment and .env")
    commands.add_parser("doctor", help="check everything the bot needs; fails if the bot couldn't start")
    commands.add_parser("invite", help="print the address that adds the bot to a server")
    taken = commands.add_parser(
        "backup", help="copy the database to a new file (- for standard output); the bot can be running"
    )
    taken.add_argument("file", type=Path, metavar="FILE")
    given = commands.add_parser(
        "restore", help="replace the database with a backup (- for standard input); stop the bot first"
    )
    given.add_argument("file", type=Path, metavar="FILE")
    commands.add_parser(
        "restored",
        help="after pg_restore: don't send again the jobs that waited in the backup; stop the bot first",
    )
    moving = commands.add_parser(
        "move", help="copy everything from the SQLite database to an empty PostgreSQL; stop the bot first"
    )
    moving.add_argument("address", metavar="POSTGRESQL_URL")
    commands.add_parser(
        "rotate-keys", help="encrypt the Studii keys with a new encryption key; stop the bot first"
    )
    commands.add_parser(
        "forget-servers", help="forget the servers that doctor lists as having removed the bot"
    )
    commands.add_parser(
        "health", help="check the running bot's health (HEALTH_PORT); fails if it isn't healthy"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
