"""`python -m bot health`: what a container's health check runs; and how commands write what they say.

Imports little, as the check runs as a new process every minute.
"""

import errno
import http.client
import os
import sys
from typing import TextIO

from bot.config_base import HealthSettings
from bot.errors import SettingsError


def say(words: str, out: TextIO | None) -> None:
    """Write a line. It is no error if the output is closed, or its reader has ended (`… | head -1`).

    Raises `SettingsError` if it can't be written for another reason.
    """
    if out is None:  # the shell has closed it
        return
    try:
        print(words, file=out, flush=True)
    except BrokenPipeError:
        # Python would try to write what is left at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
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


def count_words(number: int, one: str, many: str) -> str:
    """Return the number with its noun in English, for operators."""
    return f"{number:,} {one if number == 1 else many}"


def health() -> int:
    """Print the answer of the bot's health server, where the settings place it.

    Return 0 if the bot is healthy, else 1. Raises `SettingsError`.
    """
    settings = HealthSettings.read()
    if settings.health_port is None:
        raise SettingsError("HEALTH_PORT isn't set, so the bot's health can't be checked.")
    # Addresses to listen on, and not to call.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.health_address, settings.health_address)  # noqa: S104
    # The bot may wait for its database meanwhile.
    connection = http.client.HTTPConnection(host, settings.health_port, timeout=15.0)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        status, words = answer.status, answer.read(65_536).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        where = f"http://{f'[{host}]' if ':' in host else host}:{settings.health_port}/healthz"
        status, words = None, f"{where} doesn't answer ({type(error).__name__})."
    finally:
        connection.close()
    say(words, sys.stdout)
    return 0 if status == 200 else 1
