"""Addresses that Studii hands back are connected to only if their hosts are public, whatever DNS says."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.studii import DownloadFailed, OutputGone, StudiiClient, UploadFailed, UploadTarget
from tests.studii.conftest import QUICK

BASE = "https://studii.example/api/v1"


class Neighbour:
    """A server on this machine that nobody is to reach; counts who does."""

    def __init__(self) -> None:
        self.port = 0
        self.visits = 0

    async def greet(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.close()


@pytest.fixture
async def neighbour(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Neighbour]:
    """Every name leads to it."""
    one = Neighbour()
    server = await asyncio.start_server(one.greet, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]

    def getaddrinfo(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with server:
        yield one


@pytest.mark.promise
@pytest.mark.parametrize("host", ["files.example", "127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_an_output_is_not_fetched_from_a_private_host(
    tmp_path: Path, neighbour: Neighbour, host: str
) -> None:
    async with StudiiClient(BASE, timeouts=QUICK, retry_wait=0.0) as client:
        with pytest.raises(OutputGone):
            await client.download(f"https://{host}:{neighbour.port}/a.png", tmp_path / "a", limit=1000)
    assert neighbour.visits == 0


@pytest.mark.promise
@pytest.mark.parametrize("host", ["files.example", "127.0.0.1", "localhost"])
async def test_a_photo_is_not_sent_to_a_private_host(tmp_path: Path, neighbour: Neighbour, host: str) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"private")
    target = UploadTarget("key", f"https://{host}:{neighbour.port}/upload")
    async with StudiiClient(BASE, timeouts=QUICK, retry_wait=0.0) as client:
        with pytest.raises(UploadFailed) as failed:
            await client.put(target, photo, "image/png")
    named, literal = (
        "the address's host is in a private network",
        "the signed address is not one that is asked",
    )
    assert failed.value.reason == (named if host == "files.example" else literal)
    assert neighbour.visits == 0


@pytest.mark.promise
async def test_the_same_host_is_reached_where_the_api_is_on_this_machine(
    tmp_path: Path, neighbour: Neighbour
) -> None:
    async with StudiiClient("http://localhost:9/api/v1", timeouts=QUICK, attempts=1) as client:
        with pytest.raises(DownloadFailed):
            await client.download(f"http://files.example:{neighbour.port}/a", tmp_path / "a", limit=1000)
    assert neighbour.visits == 1
