"""The location of the SQLite file, and its permissions."""

import os
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.errors import SettingsError


def sqlite_file(url: str) -> Path | None:
    """Return the path of the SQLite file, or None for a database server."""
    address = make_url(url)
    return Path(str(address.database)) if address.get_backend_name() == "sqlite" else None


def is_there(path: Path) -> bool:
    """Return whether there is something at the path. Raises `OSError` if the user may not know.

    `Path.exists` says that there is nothing then, from Python 3.14 on.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def lock_of(path: Path) -> Path:
    """Return the path of the lock beside an SQLite file."""
    return path.with_name(f"{path.name}.lock")


def unused(path: Path, word: str) -> Path:
    """Return a path beside the file that does not exist yet, such as `studii.db.replaced-1`."""
    number = 1
    while (free := path.with_name(f"{path.name}.{word}-{number}")).exists():
        number += 1
    return free


def fresh_file(path: Path, word: str) -> Path:
    """Create an empty file beside `path` that only its owner may read, under a name that no file has yet.

    Such as `studii.db.k3x9q_2f.part`. Raises OSError.
    """
    descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=f".{word}", dir=path.parent)
    os.close(descriptor)
    _give_to_owner(Path(name), path if is_there(path) else path.parent)
    return Path(name)


def _give_to_owner(file: Path, beside: Path) -> None:
    """Give a file that root has made to the owner of the one beside it: the bot has to open it, too."""
    if os.name == "posix" and os.geteuid() == 0:
        owner = beside.stat()
        with suppress(OSError):  # a file system without owners
            os.chown(file, owner.st_uid, owner.st_gid)


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Yield a file to write, as `fresh_file` makes it. At the end it takes the place of `path`, on the disk.

    If the block raises, it is removed, and `path` stays as it was. Raises OSError.
    """
    unfinished = fresh_file(path, "part")
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def unwritable(path: Path, error: OSError) -> SettingsError:
    """Explain that the database's file, or one beside it, can't be made or written."""
    return SettingsError.met(
        f"The database file {path} can't be opened for writing ({error.strerror}). Allow the bot "
        "to write there, or set DATABASE_URL to another place.",
        error,
    )


def private_file(path: Path) -> None:
    """Create the file and its folder if they are missing, and let only its owner read it.

    It holds encrypted keys and people's prompts. SQLite gives its side files the same mode.
    Raises `SettingsError` if it can't be made or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not is_there(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if is_new:
            _give_to_owner(path, path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    if os.name != "posix":
        return  # there are no modes
    # Somebody else's file, or a file system without modes, is the operator's own choice.
    with suppress(OSError):
        found = path.stat()
        if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o600)
