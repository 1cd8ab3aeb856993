"""`python -m sandbox.discord.launch API CDN COMMAND…`: the bot's command line against an emulator.

Only addresses are changed: where discord.py finds the API and the gateway, and where the bot finds Discord's
CDN.
"""

import sys
from typing import BinaryIO

import aiohttp
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route
from yarl import URL

from bot import app
from bot.__main__ import main
from bot.delivery.cdn_photos import CdnPhotoSource, Find
from sandbox.discord.addresses import CDN


def point_to(api: str, cdn: str) -> None:
    """Let this process find Discord there."""
    Route.BASE = api
    # Where discord.py looks after a session was refused, whatever address it was told.
    DiscordWebSocket.DEFAULT_GATEWAY = (
        URL(api).with_path("/gateway/").with_scheme("wss" if api.startswith("https") else "ws")
    )

    class EmulatedCdn(CdnPhotoSource):
        """Fetches from the emulator what has an address of Discord's."""

        def __init__(self, find: Find, _: object) -> None:
            super().__init__(find, _connect)

        async def _stream(self, url: str, file: BinaryIO, limit: int) -> None:
            await super()._stream(url.replace(CDN, cdn, 1), file, limit)

    app.CdnPhotoSource = EmulatedCdn
    get = HTTPClient.get_from_cdn
    HTTPClient.get_from_cdn = lambda self, url: get(self, url.replace(CDN, cdn, 1))


def _connect(**_: object) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector()


def command(api: str, cdn: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line that starts the bot there, from the folder of the project."""
    return (sys.executable, "-m", "sandbox.discord.launch", api, cdn, *arguments)


if __name__ == "__main__":
    point_to(sys.argv[1], sys.argv[2])
    sys.exit(main(sys.argv[3:]))
