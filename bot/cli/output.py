"""Write a command's output for the terminal, or for the program that reads it, and word what stopped it."""

import errno
import os
from typing import TextIO

from bot.errors import SettingsError


def say(words: str, out: TextIO | None) -> None:
    """Write a line. It is no error if the output is closed, or its reader has ended (`… | head -1`).

    Raises `SettingsError` if it can't be written for another reason.
    """
    if out is None:  # the shell has closed it
        return
    try:
        out.write(f"{words}\n")
        out.flush()
    except BrokenPipeError:
        # Python would try to write what is left at its end, and complain.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)
    except OSError as error:
        raise SettingsError(f"The output couldn't be written ({error.strerror}).") from error


def not_opened(error: Exception) -> str | None:
    """Return which file or folder the command can't open, why, and what to do.

    None for an error that is about something else than a name that was given, or its owner.
    """
    if not isinstance(error, OSError) or error.filename is None:
        return None
    if isinstance(error, PermissionError):
        return (
            f"The user who runs this isn't allowed to open {error.filename}. If it is the bot's, run this as "
            "the user who runs the bot. Otherwise name another place."
        )
    unusable = error.errno in (errno.ENAMETOOLONG, errno.ELOOP)
    return f"{error.filename} can't be opened ({error.strerror})." if unusable else None
