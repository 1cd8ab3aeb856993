"""Doctor's checks of this machine: settings, the data folder, its disks, a running bot, and the decoder."""

import os
import platform
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from bot.catalog import Catalog
from bot.cli.output import Finding, Verdict
from bot.config import MEGABYTE, Settings
from bot.media.pool import DecoderPool
from bot.media.spool import file_sizes
from bot.sqlite_file import AnotherInstance, instance_lock, is_there, sqlite_file
from bot.version import VERSION

MIN_FREE_BYTES = 10 * MEGABYTE  # for the database's log and what is written to it, or for a photo


def settings(wrong: Mapping[str, str]) -> list[Finding]:
    """Report each invalid setting, the source of the settings, and a readable `.env` with secrets."""
    file = Path(".env").absolute()
    beside = f"{file} and the environment" if file.exists() else f"the environment; {file} doesn't exist"
    found = [Finding("Settings", Verdict.STOPS, sentence) for sentence in dict.fromkeys(wrong.values())]
    found = found or [Finding("Settings", Verdict.GOOD, f"From {beside}.")]
    if (who := _who_reads(file)) and _holds_a_secret(file):
        found.append(
            Finding(
                ".env",
                Verdict.WARN,
                f"{who} can read or change {file}, which holds secrets. Run: chmod 600 {file}",
            )
        )
    return found


def _who_reads(file: Path) -> str | None:
    """Say who else than its owner can read or change the file. None if nobody can."""
    if os.name != "posix" or not file.is_file():
        return None
    import grp
    import pwd

    found = file.stat()
    if found.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        return "Every user of this machine"
    if not found.st_mode & (stat.S_IRGRP | stat.S_IWGRP):
        return None
    try:
        owner, group = pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid)
    except KeyError:
        return None if found.st_uid == found.st_gid else f"Every user in the group {found.st_gid}"
    own = group.gr_name == owner and set(group.gr_mem) <= {owner}  # it has no other member
    return None if own else f"Every user in the group {group.gr_name}"


def _holds_a_secret(file: Path) -> bool:
    try:
        written = dotenv_values(file, encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return True  # it is not known, and told by another line
    values = {name.upper(): value or "" for name, value in written.items()}
    # An address holds a secret if a password stands in it.
    addresses = any("@" in values.get(name, "") for name in ("DATABASE_URL", "HTTPS_PROXY"))
    return addresses or any(values.get(name) for name in ("DISCORD_TOKEN", "ENCRYPTION_KEYS"))


async def version(_: Settings) -> list[Finding]:
    """Say which version this is, and on which Python it runs."""
    return [
        Finding(
            "Version", Verdict.GOOD, f"Studii for Discord {VERSION} on Python {platform.python_version()}."
        )
    ]


async def catalogue(settings: Settings) -> list[Finding]:
    """Check that the catalogue can be loaded."""
    tools, where = Catalog.load(settings.studii_tools_file).tools, settings.studii_tools_file
    return [Finding("Catalogue", Verdict.GOOD, f"{len(tools)} tools from {where or 'the built-in file'}.")]


async def folder(settings: Settings) -> list[Finding]:
    """Check that the bot may write to its folder and files."""
    place, database = settings.folder, sqlite_file(settings.database_url)
    ends = ("", "-wal", "-shm", ".lock") if database is not None else ()
    wrong = [_in_the_way(one, folder=True) for one in (place, settings.spool_folder)]
    wrong += [_in_the_way(Path(f"{database}{end}"), folder=False) for end in ends]
    if words := next(filter(None, wrong), None):
        return [Finding("Folder", Verdict.STOPS, words)]
    words = f"{place.absolute()} is writable."
    if not is_there(place):
        words = f"The first start creates {place.absolute()}."
    return [Finding("Folder", Verdict.GOOD, words)]


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
        words += f" {needed_by} at least {MIN_FREE_BYTES // MEGABYTE} MB. Free some space on that disk."
        return Finding(what, Verdict.STOPS, words)
    if free < wanted:
        return Finding(what, Verdict.WARN, f"{words} Lower SPOOL_MB or free some space.")
    return Finding(what, Verdict.GOOD, words)


async def pictures(_: Settings) -> list[Finding]:
    """Check that a decoder starts, and that the system can limit the resources it uses."""
    try:
        async with DecoderPool() as decoder:
            missing = await decoder.missing()
    except OSError as error:
        why = error.strerror or error
        return [
            Finding(
                "Pictures",
                Verdict.STOPS,
                f"Pictures can't be opened: {why}. No photo will work until that is fixed.",
            )
        ]
    if missing:
        return [
            Finding(
                "Pictures",
                Verdict.WARN,
                f"This system can't limit the {' and '.join(missing)} of a process. The bot works, but a "
                "hostile picture can use more than it should until it times out. Linux has these limits.",
            )
        ]
    return [
        Finding(
            "Pictures", Verdict.GOOD, "Opened in processes with limited memory, processor time and duration."
        )
    ]


def no_room_for_a_copy(database: Path) -> str | None:
    """Return why there is no room for the copy before an upgrade, or None if there is."""
    needed, free = database.stat().st_size + MIN_FREE_BYTES, shutil.disk_usage(database.parent).free
    if free >= needed:
        return None
    return f"That needs {needed // MEGABYTE:,} MB, and {free // MEGABYTE:,} MB are free. Free some space."


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


def _in_the_way(path: Path, *, folder: bool) -> str | None:
    """Return why the bot can't write there and what to do, or None. The start creates missing paths."""
    there = _nearest(path)
    if there.is_dir() == (there == path.absolute() and not folder):
        found, needed = ("folder", "file") if there.is_dir() else ("file", "folder")
        return f"{there} is a {found} where the bot needs a {needed}. Move it."
    if os.access(there, os.R_OK | os.W_OK | (os.X_OK if there.is_dir() else 0)):
        return None
    remedy = "or set DATABASE_URL to another place."
    if os.name != "posix":
        return f"{there} isn't writable. Let the user who runs this write there, {remedy}"
    who = os.geteuid()
    return (
        f"{there} isn't writable by user {who}, who runs this. Give it to that user (chown -R "
        f"{who} {there}), {remedy}"
    )


def _nearest(path: Path) -> Path:
    """Return the path, or its nearest parent that exists. Unlike Path's, os.path's `exists` never raises."""
    whole = path.absolute()
    return next(one for one in (whole, *whole.parents) if os.path.exists(one))  # noqa: PTH110
