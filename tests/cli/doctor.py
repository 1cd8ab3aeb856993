"""What `doctor` finds."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from bot.cli.doctor import STOPS, Finding, examine
from bot.config import Settings

DRIVERS = ("sqlite3", "sqlalchemy", "Traceback", "Errno", "ssl:", "malformed", "aiosqlite")


def with_free(free: int) -> Callable[[Path], SimpleNamespace]:
    """`shutil.disk_usage` of a disk that has so many bytes left."""

    def usage(_path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free)

    return usage


async def found(settings: dict[str, str]) -> dict[str, Finding]:
    findings = await examine(Settings.read(**settings))
    for one in findings:
        assert not [word for word in DRIVERS if word in one.words], one.words
    return {one.what: one for one in findings}


def stopping(findings: dict[str, Finding]) -> set[str]:
    return {what for what, one in findings.items() if one.verdict == STOPS}
