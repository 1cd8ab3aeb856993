"""Doctor's checks of this machine: the data folder, its disks, a running bot, and the decoder."""

import os
import platform
import shutil
from pathlib import Path

from bot.cli.findings import Finding, Verdict
from bot.config import MEGABYTE, Settings
from bot.media.pool import DecoderPool
from bot.media.spool import file_sizes
from bot.storage import AnotherInstance, instance_lock, is_there, sqlite_file
from bot.version import VERSION

MIN_FREE_BYTES = 10 * MEGABYTE  # for the database's log and what is written to it, or for a photo


async def version(_: Settings) -> list[Finding]:
    """Say which version this is, and on which Python it runs."""
    words = f"Studii for Discord {VERSION} on Python {platform.python_version()}."
    return [Finding("Version", Verdict.GOOD, words)]


async def folder(settings: Settings) -> list[Finding]:
    """Check that the bot may write to its folder and files."""
    place = settings.folder
    wrong = [_in_the_way(one, folder=True) for one in (place, settings.spool_folder)]
    wrong += [_in_the_way(one, folder=False) for one in _files(settings)]
    if words := next(filter(None, wrong), None):
        return [Finding("Folder", Verdict.STOPS, words)]
    if not is_there(place):
        return [Finding("Folder", Verdict.GOOD, f"The first start creates {place.absolute()}.")]
    return [Finding("Folder", Verdict.GOOD, f"{place.absolute()} is writable.")]


async def disk_space(settings: Settings) -> list[Finding]:
    """Check that there is room for the database and the spool, each of which may have a disk of its own."""
    folder, spool = _nearest(settings.folder), _nearest(settings.spool_folder)
    used = sum(file_sizes(spool).values()) if settings.spool_folder.is_dir() else 0
    lacking = settings.spool_mb * MEGABYTE - used
    in_use = f"Photos and results being processed use {used // MEGABYTE:,} of {settings.spool_mb:,} MB."
    if spool.stat().st_dev == folder.stat().st_dev:
        return [_room("Disk", folder, f"free. {in_use}", "The database needs", lacking)]
    return [
        _room("Disk", folder, "free.", "The database needs"),
        _room("Spool", spool, f"free on the disk of {spool}. {in_use}", "Photos need", lacking),
    ]


def _room(what: str, place: Path, words: str, needed_by: str, wanted: int = 0) -> Finding:
    """Return how much is free on the disk of that place, where the spool may grow by `wanted` bytes."""
    free = shutil.disk_usage(place).free
    words = f"{free // MEGABYTE:,} MB {words}"
    if free < MIN_FREE_BYTES:
        remedy = f"{needed_by} at least {MIN_FREE_BYTES // MEGABYTE} MB. Free some space on that disk."
        return Finding(what, Verdict.STOPS, f"{words} {remedy}")
    if free < wanted:
        return Finding(what, Verdict.WARN, f"{words} Lower SPOOL_MB or free some space.")
    return Finding(what, Verdict.GOOD, words)


async def pictures(_: Settings) -> list[Finding]:
    """Check that a decoder starts, and that the system can limit the resources it uses."""
    try:
        async with DecoderPool() as decoder:
            missing = await decoder.missing()
    except OSError as error:
        words = (
            f"Pictures can't be opened: {error.strerror or error}. No photo will work until that is fixed."
        )
        return [Finding("Pictures", Verdict.STOPS, words)]
    if missing:
        words = (
            f"This system can't limit the {' and '.join(missing)} of a process. The bot works, but a "
            "hostile picture can use more than it should until it times out. Linux has these limits."
        )
        return [Finding("Pictures", Verdict.WARN, words)]
    words = "Opened in processes with limited memory, processor time and duration."
    return [Finding("Pictures", Verdict.GOOD, words)]


def no_room_for_a_copy(database: Path) -> str | None:
    """Return why there is no room for the copy before an upgrade, or None if there is."""
    size, free = database.stat().st_size, shutil.disk_usage(database.parent).free
    if free >= size + MIN_FREE_BYTES:
        return None
    needed, there = (size + MIN_FREE_BYTES) // MEGABYTE, free // MEGABYTE
    return f"That needs {needed:,} MB, and {there:,} MB are free. Free some space."


async def runs(settings: Settings) -> bool:
    """Return whether a bot runs on this SQLite file now. Raises `SettingsError` if that can't be checked.

    Takes the instance lock for a moment. A bot that starts meanwhile waits for it. On PostgreSQL, processes
    are listed by a check of their own.
    """
    path = sqlite_file(settings.database_url)
    if path is None or not is_there(path.with_name(f"{path.name}.lock")):
        return False
    try:
        async with instance_lock(settings.database_url, patience=0):
            return False
    except AnotherInstance:
        return True


def _files(settings: Settings) -> list[Path]:
    """Return the files that must be writable."""
    database = sqlite_file(settings.database_url)
    ends = ("", "-wal", "-shm", ".lock") if database is not None else ()
    return [Path(f"{database}{end}") for end in ends]


def _in_the_way(path: Path, *, folder: bool) -> str | None:
    """Return why the bot can't write there and what to do, or None. The start creates missing paths."""
    there = _nearest(path)
    if there.is_dir() == (there == path.absolute() and not folder):
        found, needed = ("folder", "file") if there.is_dir() else ("file", "folder")
        return f"{there} is a {found} where the bot needs a {needed}. Move it."
    if not os.access(there, os.R_OK | os.W_OK | (os.X_OK if there.is_dir() else 0)):
        if os.name != "posix":
            remedy = "Let the user who runs this write there, or set DATABASE_URL to another place."
            return f"{there} isn't writable. {remedy}"
        who = os.geteuid()
        return (
            f"{there} isn't writable by user {who}, who runs this. Give it to that user (chown -R "
            f"{who} {there}), or set DATABASE_URL to another place."
        )
    return None


def _nearest(path: Path) -> Path:
    """Return the path, or its nearest parent that exists."""
    whole = path.absolute()
    return next(one for one in (whole, *whole.parents) if _seen(one))


def _seen(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True
