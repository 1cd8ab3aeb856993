"""`python -m bot doctor`: check whether the bot would start, and what to fix before."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from traceback import extract_tb

from rich.console import Console
from rich.table import Table

from bot.cli import checks_database, checks_machine, checks_online
from bot.cli.output import Finding, Verdict, not_opened
from bot.config import Settings
from bot.errors import StudiiBotError

_DATABASE = frozenset({"database_url"})
_ONLINE = frozenset({"discord_token", "https_proxy"})

# The checks, and the settings without which each would mislead.
CHECKS: Sequence[tuple[str, Callable[[Settings], Awaitable[list[Finding]]], frozenset[str]]] = (
    ("Version", checks_machine.version, frozenset()),
    ("Discord", checks_online.discord, _ONLINE),
    ("Reach", checks_online.reach, _ONLINE),
    ("Catalogue", checks_machine.catalogue, frozenset()),
    ("Folder", checks_machine.folder, _DATABASE),
    ("Disk", checks_machine.disk_space, _DATABASE | {"spool_mb"}),
    ("Bot", checks_online.bot, _DATABASE),
    ("Encryption key", checks_database.encryption_key, _DATABASE | {"encryption_keys"}),
    ("Database", checks_database.database, _DATABASE),
    ("SQLite", checks_database.sqlite, _DATABASE),
    ("Pictures", checks_machine.pictures, frozenset()),
    ("Studii", checks_online.studii, frozenset({"studii_api_url", "https_proxy"})),
)
VERDICT_COLOURS = {Verdict.GOOD: "green", Verdict.WARN: "yellow", Verdict.STOPS: "red"}


async def examine(settings: Settings, wrong: Mapping[str, str]) -> list[Finding]:
    """Check everything that the bot needs, without changing anything; safe beside a running bot.

    `wrong` has a sentence for each setting that could not be used, as `Settings.read_leniently` gives it.
    """
    found = checks_machine.settings(wrong)
    for what, check, needs in CHECKS:
        if missing := sorted(needs & wrong.keys()):
            # The file .env if that is why the setting is unknown.
            unread = wrong[missing[0]].startswith("The file .env")
            found.append(
                Finding(
                    what,
                    Verdict.WARN,
                    f"Not checked: fix {'the file .env' if unread else missing[0].upper()} first.",
                )
            )
            continue
        try:
            found += await check(settings)
        except StudiiBotError as error:
            # What is in the way of several checks is told once.
            if all(str(error) != one.words for one in found):
                found.append(Finding(what, Verdict.STOPS, str(error)))
        except Exception as error:  # noqa: BLE001 - one check's fault hides no other's finding
            words = not_opened(error) if isinstance(error, OSError) else None
            if words is None:
                # The type and the line that raised it, as the error's own text may contain a password.
                last = extract_tb(error.__traceback__)[-1]
                where = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
                words = f"This check failed unexpectedly ({where}). Please report it."
            found.append(Finding(what, Verdict.STOPS, words))
    return found


def show(findings: Sequence[Finding], console: Console) -> bool:
    """Print the table. Returns whether the bot could start."""
    table = Table(show_lines=False)
    table.add_column("Check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Finding", overflow="fold")
    for one in findings:
        words = one.words.replace("[", "\\[")  # which would begin a style
        table.add_row(one.what, f"[{VERDICT_COLOURS[one.verdict]}]{one.verdict}[/]", words)
    console.print(table)
    return all(one.verdict is not Verdict.STOPS for one in findings)
