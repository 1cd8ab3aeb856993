"""`python -m bot doctor`: would the bot start, and what should be looked at before it does?"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.config import Settings
from bot.errors import StudiiBotError
from bot.operate import around, in_database, on_disk
from bot.operate.findings import Finding, Verdict

CHECKS: Sequence[tuple[str, Callable[[Settings], Awaitable[list[Finding]]]]] = (
    ("Discord", around.discord),
    ("Catalogue", around.catalogue),
    ("Folder", on_disk.folder),
    ("Disk", on_disk.room),
    ("Bot", around.bot),
    ("Encryption key", in_database.encryption_key),
    ("Database", in_database.database),
    ("SQLite", in_database.sqlite),
    ("Studii", around.studii),
)
COLOURS = {Verdict.GOOD: "green", Verdict.LOOK: "yellow", Verdict.STOPS: "red"}


async def examine(settings: Settings) -> list[Finding]:
    """Check everything that the bot needs, without changing anything; safe beside a running bot."""
    found = [_settings()]
    for what, check in CHECKS:
        try:
            found += await check(settings)
        except StudiiBotError as error:
            # What is in the way of several checks is told once.
            if all(str(error) != one.words for one in found):
                found.append(Finding(what, Verdict.STOPS, str(error)))
    return found


def _settings() -> Finding:
    file = Path(".env").absolute()
    beside = f"{file} and the environment" if file.exists() else f"the environment; there is no {file}"
    return Finding("Settings", Verdict.GOOD, f"From {beside}.")


def unread(error: StudiiBotError) -> list[Finding]:
    """What is found where the settings can't even be read."""
    return [Finding("Settings", Verdict.STOPS, f"{error} The rest is looked at when that is mended.")]


def show(findings: Sequence[Finding], console: Console) -> bool:
    """Print the table; whether the bot could start."""
    table = Table(show_lines=False)
    table.add_column("What", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Finding", overflow="fold")
    for one in findings:
        table.add_row(one.what, f"[{COLOURS[one.verdict]}]{one.verdict}[/]", _escaped(one.words))
    console.print(table)
    return all(one.verdict is not Verdict.STOPS for one in findings)


def _escaped(words: str) -> str:
    return words.replace("[", "\\[")
