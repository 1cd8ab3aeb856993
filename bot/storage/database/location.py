"""The SQLite file: where it is, and that nobody else can read it."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.errors import SettingsError


def sqlite_file(url: str) -> Path | None:
    """The database's file; None if it lives on a server."""
    address = make_url(url)
    return Path(str(address.database)) if address.get_backend_name() == "sqlite" else None


def unused(path: Path, word: str) -> Path:
    """A name beside the file that nothing has yet: `studii.db.replaced-1`."""
    number = 1
    while (free := path.with_name(f"{path.name}.{word}-{number}")).exists():
        number += 1
    return free


def private_file(path: Path) -> None:
    """See that the file exists, with its folder, and that only its owner may read it.

    It holds encrypted keys and people's prompts. SQLite gives its side files the same mode.
    Raises `SettingsError` if it can't be made or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise SettingsError(
            f"The database file {path} can't be opened for writing ({error.strerror}). "
            "Give the bot the right to write there, or set DATABASE_URL to another place."
        ) from error
    # Somebody else's file, or a file system without modes, is the operator's own choice.
    with suppress(OSError):
        found = path.stat()
        if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o600)
