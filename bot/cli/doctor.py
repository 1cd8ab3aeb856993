"""`python -m bot doctor`: check whether the bot would start, and what to fix before."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb

from rich.console import Console
from rich.table import Table

from bot.cli import checks_database, checks_machine, checks_online, checks_settings
from bot.cli.findings import Finding, Verdict
from bot.cli.output import not_opened
from bot.config import Settings
from bot.errors import StudiiBotError


@dataclass(frozen=True, slots=True)
class Check:
    """A part of the examination; `needs` names the settings without which it would mislead."""

    what: str
    run: Callable[[Settings], Awaitable[list[Finding]]]
    needs: frozenset[str] = frozenset()


_DATABASE = frozenset({"database_url"})

CHECKS: Sequence[Check] = (
    Check("Version", checks_machine.version),
    Check("Discord", checks_online.discord, frozenset({"discord_token", "https_proxy"})),
    Check("Reach", checks_online.reach, frozenset({"discord_token", "https_proxy"})),
    Check("Catalogue", checks_online.catalogue),
    Check("Folder", checks_machine.folder, _DATABASE),
    Check("Disk", checks_machine.disk_space, _DATABASE | {"spool_mb"}),
    Check("Bot", checks_online.bot, _DATABASE),
    Check("Encryption key", checks_database.encryption_key, _DATABASE | {"encryption_keys"}),
    Check("Database", checks_database.database, _DATABASE),
    Check("SQLite", checks_database.sqlite, _DATABASE),
    Check("Pictures", checks_machine.pictures),
    Check("Studii", checks_online.studii, frozenset({"studii_api_url", "https_proxy"})),
)
VERDICT_COLOURS = {Verdict.GOOD: "green", Verdict.WARN: "yellow", Verdict.STOPS: "red"}


async def examine(settings: Settings, wrong: Mapping[str, str]) -> list[Finding]:
    """Check everything that the bot needs, without changing anything; safe beside a running bot.

    `wrong` has a sentence for each setting that could not be used, as `Settings.read_leniently` gives it.
    """
    found = checks_settings.settings(wrong)
    for check in CHECKS:
        if missing := sorted(check.needs & wrong.keys()):
            words = f"Not checked: fix {_names(missing[0], wrong)} first."
            found.append(Finding(check.what, Verdict.WARN, words))
            continue
        try:
            found += await check.run(settings)
        except StudiiBotError as error:
            # What is in the way of several checks is told once.
            if all(str(error) != one.words for one in found):
                found.append(Finding(check.what, Verdict.STOPS, str(error)))
        except Exception as error:  # noqa: BLE001 - one check's fault hides no other's finding
            found.append(Finding(check.what, Verdict.STOPS, _fault(error)))
    return found


def _names(setting: str, wrong: Mapping[str, str]) -> str:
    """Name what has to be fixed: the setting, or `.env` if that is why the setting is unknown."""
    return "the file .env" if wrong[setting].startswith("The file .env") else setting.upper()


def _fault(error: Exception) -> str:
    """Return what to do about an error that no check expects."""
    if isinstance(error, OSError) and (words := not_opened(error)) is not None:
        return words
    return f"This check failed unexpectedly ({_where(error)}). Please report it."


def _where(error: Exception) -> str:
    """Return the error's type and the line that raised it, as its own text may contain a password."""
    last = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


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
