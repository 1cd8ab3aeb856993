"""`python -m bot health`: what a container's health check runs."""

import json

import aiohttp

from bot.config import Settings
from bot.errors import SettingsError

SECONDS = 15.0  # the bot may wait for its database meanwhile
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a place to listen, not one to call


async def healthy(settings: Settings) -> tuple[bool, str]:
    """Whether the bot that runs with these settings is well, and its own words about it.

    Raises `SettingsError` if no port is set.
    """
    if settings.health_port is None:
        raise SettingsError("HEALTH_PORT is not set, so the bot cannot be asked.")
    host = EVERYWHERE.get(settings.health_address, settings.health_address)
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.health_port}/healthz"
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            words = json.dumps(await answer.json())
            return answer.status == 200, words
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return False, f"{url} does not answer ({type(error).__name__})."
