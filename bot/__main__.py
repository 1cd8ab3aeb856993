"""The command line: `python -m bot run`, and what an operator does beside it."""

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bot import process
from bot.client import quiet_discord_loggers
from bot.config import Settings
from bot.errors import SettingsError, StudiiBotError
from bot.logs import configure_logging
from bot.operate.ask import healthy
from bot.operate.backup import PIPE, backup, restore
from bot.operate.doctor import examine, show, unread
from bot.operate.invite import invitation
from bot.operate.keys import rotate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; gives the process's exit status."""
    given = _parser().parse_args(arguments)
    try:
        settings = Settings.read()
        # What is not the bot itself says its result alone.
        configure_logging(settings.log_level if given.command == "run" else "ERROR", settings.log_format)
        quiet_discord_loggers()
        return asyncio.run(_do(given, settings))
    except SettingsError as error:
        if given.command == "doctor":  # which tells all else by itself
            show(unread(error), Console())
            return 1
        sys.stderr.write(f"{error}\n")
        return 2
    except StudiiBotError as error:
        sys.stderr.write(f"{error}\n")
        return 1


async def _do(given: argparse.Namespace, settings: Settings) -> int:
    match given.command:
        case "run":
            await process.run(settings)
        case "doctor":
            return 0 if show(await examine(settings), Console()) else 1
        case "health":
            well, words = await healthy(settings)
            sys.stdout.write(f"{words}\n")
            return 0 if well else 1
        case _:
            words = await _told(given, settings)
            # Where the backup goes to standard output, the words must not stand in it.
            out = sys.stderr if given.command == "backup" and given.file == PIPE else sys.stdout
            out.write(f"{words}\n")
    return 0


def _told(given: argparse.Namespace, settings: Settings) -> Coroutine[Any, Any, str]:
    match given.command:
        case "invite":
            return invitation(settings.discord_token.get_secret_value())
        case "backup":
            return backup(settings, given.file)
        case "restore":
            return restore(settings, given.file)
        case _:
            return rotate(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Studii for Discord.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="run the bot with the settings of the environment and .env")
    commands.add_parser("doctor", help="check everything that the bot needs; fails if it could not start")
    commands.add_parser("invite", help="print the address that adds the bot to a server")
    taken = commands.add_parser(
        "backup", help="copy the database to a new file (-: to standard output), also while the bot runs"
    )
    taken.add_argument("file", type=Path, metavar="FILE")
    given = commands.add_parser(
        "restore", help="make a backup (-: from standard input) the database again; stop the bot first"
    )
    given.add_argument("file", type=Path, metavar="FILE")
    commands.add_parser(
        "rotate-keys", help="seal the Studii keys with a new encryption key; stop the bot first"
    )
    commands.add_parser("health", help="ask the running bot how it is (HEALTH_PORT); fails if it is not well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
