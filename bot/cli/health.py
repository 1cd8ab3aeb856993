"""`python -m bot health`: what a container's health check runs.

Imports little, as it runs as a new process every minute.
"""

import http.client
import sys

from bot.cli.output import say
from bot.config_base import HealthSettings
from bot.errors import SettingsError


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
