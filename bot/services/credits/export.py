"""Export the ledger as CSV."""

import asyncio
import csv
import io
import re
import zipfile
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from bot.domain import FORGOTTEN_MEMBER, JobState, LedgerLine
from bot.errors import Refused
from bot.languages import Message, lazy, pgettext, plazy
from bot.visible_text import visible

# The columns, by names that sentences about them use. Cells are as they are stored, but for words.
LEDGER_HEADINGS: Mapping[str, Message] = {
    "number": plazy("column", "number"),
    "time": plazy("column", "time"),
    "time_utc": plazy("column", "time_utc"),
    "entry": plazy("column", "entry"),
    "credits": plazy("column", "credits"),
    "for_period": plazy("column", "for_period"),
    "member": plazy("column", "member"),
    "job": plazy("column", "job"),
    "tool": plazy("column", "tool"),
    "settings": plazy("column", "settings"),
    "job_state": plazy("column", "job_state"),
}
# Characters at the start of a cell, also in fullwidth form, that make a spreadsheet run it as a formula. Many
# programs also split cells at semicolons and tabs within quotes, so a cell begins after those.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"(^|[;,|\t\r\n])(?=[\s\"']*[=+\-@＝＋－＠])|^(?=[\t\r\n])")


@dataclass(frozen=True, slots=True)
class Export:
    """An exported file in the caller's folder."""

    path: Path
    lines: int


async def write_ledger(
    pages: AsyncIterable[Sequence[LedgerLine]],
    zone: ZoneInfo,
    folder: Path,
    limit: int,
    state_words: Callable[[JobState], str],
) -> Export:
    """Write the pages as CSV into `folder`: zipped if they have more than `limit` bytes.

    It is worded in the language that is spoken now; `state_words` says states as the bot's panels do.
    Page by page, so that memory does not grow with the ledger. Raises `Refused` if it is too large even so.
    """
    path = folder / "ledger.csv"
    lines = 0
    # The mark at the beginning tells spreadsheets that this is UTF-8.
    await asyncio.to_thread(
        path.write_bytes, _rows([[str(one) for one in LEDGER_HEADINGS.values()]]).encode("utf-8-sig")
    )
    async for page in pages:
        lines += len(page)
        await asyncio.to_thread(_append, path, _rows([_row(line, zone, state_words) for line in page]))
    if (await asyncio.to_thread(path.stat)).st_size > limit:
        path = await asyncio.to_thread(_zipped, path)
        if (await asyncio.to_thread(path.stat)).st_size > limit:
            raise Refused(lazy("The ledger is too large for a Discord file. Choose a shorter period."))
    return Export(path, lines)


def export_folder() -> TemporaryDirectory[str]:
    """Create a temporary folder that is removed at the end."""
    return TemporaryDirectory(prefix="studii-export-")


def safe(text: str) -> str:
    """Return text as a cell that no spreadsheet runs as a formula, nor any part of it.

    Spreadsheets skip invisible characters in front of a formula.
    """
    return _FORMULA.sub(r"\1'", visible(text))


def _row(line: LedgerLine, zone: ZoneInfo, state_words: Callable[[JobState], str]) -> list[str | int]:
    return [
        line.id,
        # Without its distance to UTC, which spreadsheets take for text; the next cell is never ambiguous.
        line.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
        line.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        line.kind.value,
        line.amount,
        line.period or "",
        _member(line.user_id),
        # Digits alone, or 12e34567, would be a number.
        # Untranslated: it is a name, like the other cells.
        "" if line.job_id is None else f"job {line.job_id}",
        safe(line.tool or ""),
        safe(line.variant or ""),
        "" if line.state is None else state_words(line.state),
    ]


def _member(user_id: int | None) -> str:
    if user_id is None:
        return ""
    # A bare id of 18 digits would be rounded by spreadsheets; as a mention it is text, and Discord knows it.
    return pgettext("member", "forgotten") if user_id == FORGOTTEN_MEMBER else f"<@{user_id}>"


def _rows(rows: Sequence[Sequence[str | int]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text)


def _zipped(path: Path) -> Path:
    zipped = path.with_suffix(".zip")
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    return zipped
