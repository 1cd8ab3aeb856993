"""The command line: `python -m bot run`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from bot import app
from bot.config import Settings
from bot.errors import SettingsError, StudiiBotError
from bot.logs import configure_logging


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; gives the process's exit status."""
    _parser().parse_args(arguments)
    try:
        settings = Settings.read()
        configure_logging(settings.log_level, settings.log_format)
        asyncio.run(app.run(settings))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except StudiiBotError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Studii for Discord.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", help="run the bot with the settings of the environment and .env")
    return parser


if __name__ == "__main__":
    sys.exit(main())
