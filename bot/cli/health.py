"""`python -m bot health`: what a container's health check runs.

Imports little, as it runs as a new process every minute.
"""

import http.client

from bot.config_base import HealthSettings
from bot.errors import SettingsError

SECONDS = 15.0  # the bot may wait for its database meanwhile
MAX_HEALTH_ANSWER_BYTES = 65_536
LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a place to listen, not one to call


def where_it_listens() -> tuple[str, int]:
    """Return the address and port of the health server, as the settings tell. Raises `SettingsError`."""
    settings = HealthSettings.read()
    if settings.health_port is None:
        raise SettingsError("HEALTH_PORT isn't set, so the bot's health can't be checked.")
    return settings.health_address, settings.health_port


def healthy(address: str, port: int) -> tuple[bool, str]:
    """Return whether the bot whose health server listens there is healthy, and its answer."""
    host = LOOPBACK_OF.get(address, address)
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200, answer.read(MAX_HEALTH_ANSWER_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        where = f"http://{f'[{host}]' if ':' in host else host}:{port}/healthz"
        return False, f"{where} doesn't answer ({type(error).__name__})."
    finally:
        connection.close()
