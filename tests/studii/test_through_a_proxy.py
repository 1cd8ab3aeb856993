"""Studii behind a proxy: everything works, and what was certainly not sent is still told apart."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import aiohttp
import pytest

from bot.aio.proxy import NoTunnel, Proxy, connector
from bot.studii import (
    DownloadFailed,
    NotSent,
    OutcomeUnknown,
    OutputGone,
    StudiiClient,
    Timeouts,
    UploadFailed,
)
from sandbox.studii import Key, Options, StudiiServer, faults
from sandbox.studii.api import API
from tests.studii.conftest import QUICK
from tests.support.proxy import PASSWORD, ConnectProxy
from tests.support.tls import certificate, contexts

HOST = "studii.tech"
INPUTS = {"mode": "image", "source": "text", "quality": "standard", "prompt": "A misty pine forest at dawn"}


class Behind(NamedTuple):
    """Studii, the proxy that leads there, and a client that knows no other way."""

    server: StudiiServer
    proxy: ConnectProxy
    client: StudiiClient
    key: Key


@asynccontextmanager
async def behind(
    folder: Path, password: str = PASSWORD, timeouts: Timeouts = QUICK
) -> AsyncGenerator[Behind]:
    serving, trusting = contexts(certificate(folder, HOST))
    async with StudiiServer(Options(instant=True), tls=serving) as server:
        port = int(server.url.removesuffix(API).rpartition(":")[2])
        async with ConnectProxy({f"{HOST}:443": port}) as proxy:
            connect = partial(connector, Proxy.parse(proxy.address(password)), ssl=trusting)
            url = f"https://{HOST}{API}"
            async with StudiiClient(url, timeouts=timeouts, retry_wait=0.0, connect=connect) as client:
                yield Behind(server, proxy, client, server.add_key())


@pytest.mark.promise
async def test_a_job_goes_all_its_way(tmp_path: Path) -> None:
    async with behind(tmp_path, timeouts=Timeouts()) as way:  # drawing the output takes a while
        client, secret = way.client, way.key.secret
        photo = tmp_path / "photo.png"
        photo.write_bytes(b"\x89PNG" + bytes(range(256)))
        target = await client.request_upload(secret, "photo.png", "image/png")
        await client.put(target, photo, "image/png")
        tunnels = len(way.proxy.asked)
        await client.create_job(secret, "studio", INPUTS)
        created = await client.create_job(secret, "studio", INPUTS)
        assert len(way.proxy.asked) == tunnels + 2  # a paid request has a fresh one, others keep theirs
        assert tunnels == 2
        report = await client.job_status(secret, created.id, created.status_url)
        assert report.output_url is not None
        got = await client.download(report.output_url, tmp_path / "output", limit=10_000_000)
        assert got.size == (tmp_path / "output").stat().st_size
        assert [upload.data for upload in way.server.uploads.values()] == [photo.read_bytes()]
        assert set(way.proxy.asked) == {f"{HOST}:443"}


@pytest.mark.promise
@pytest.mark.parametrize("trouble", [403, 407, 502, 503, "hang up", "silence"])
async def test_a_job_that_a_proxy_does_not_let_through_was_certainly_not_sent(
    tmp_path: Path, trouble: int | Literal["hang up", "silence"]
) -> None:
    async with behind(tmp_path) as way:
        way.proxy.trouble = trouble
        with pytest.raises(NotSent):
            await way.client.create_job(way.key.secret, "studio", INPUTS)
        assert not way.server.requests.of("create")


async def test_a_job_without_a_proxy_was_certainly_not_sent(tmp_path: Path) -> None:
    async with behind(tmp_path) as way:
        proxy = Proxy.parse(way.proxy.address())
    connect = partial(connector, proxy)
    async with StudiiClient(f"https://{HOST}{API}", timeouts=QUICK, connect=connect) as client:
        with pytest.raises(NotSent) as caught:
            await client.create_job("stu_a_key", "studio", INPUTS)
    assert caught.value.reason == f"the proxy {proxy.name} can't be reached"


@pytest.mark.promise
@pytest.mark.parametrize("fault", [faults.DropAfter(), faults.DropBefore(), faults.proxy_error(502)])
async def test_an_answer_that_is_lost_behind_the_proxy_is_an_unknown_outcome(
    tmp_path: Path, fault: faults.Fault
) -> None:
    async with behind(tmp_path) as way:
        way.server.fail("create", fault)
        with pytest.raises(OutcomeUnknown):
            await way.client.create_job(way.key.secret, "studio", INPUTS)
        assert len(way.server.requests.of("create")) == 1


async def test_a_certificate_of_somebody_else_behind_the_proxy_gets_no_request(tmp_path: Path) -> None:
    async with behind(tmp_path) as way:
        connect = partial(connector, Proxy.parse(way.proxy.address()), ssl=ssl.create_default_context())
        async with StudiiClient(f"https://{HOST}{API}", timeouts=QUICK, connect=connect) as client:
            with pytest.raises(NotSent) as caught:
                await client.create_job(way.key.secret, "studio", INPUTS)
        assert caught.value.reason == "ClientConnectorCertificateError"
        assert not way.server.requests.of("create")


async def test_an_upload_that_a_proxy_refuses_is_tried_again_at_the_same_address(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG")
    async with behind(tmp_path) as way:
        target = await way.client.request_upload(way.key.secret, "photo.png", "image/png")
        way.proxy.asked.clear()
        way.proxy.trouble = 503
        with pytest.raises(UploadFailed):
            await way.client.put(target, photo, "image/png")
        assert len(way.proxy.asked) == 3
        way.proxy.trouble = None
        await way.client.put(target, photo, "image/png")


async def test_the_proxy_may_be_in_a_private_network_and_what_studii_hands_back_may_not(
    tmp_path: Path,
) -> None:
    async with behind(tmp_path) as way:
        proxy = Proxy.parse(way.proxy.address().replace("127.0.0.1", "localhost"))
        _, trusting = contexts(certificate(tmp_path, HOST))
        connect = partial(connector, proxy, ssl=trusting)
        async with StudiiClient(f"https://{HOST}{API}", attempts=1, connect=connect) as client:
            with pytest.raises(DownloadFailed):
                await client.download("https://files.example/a.png", tmp_path / "a", limit=1000)
            with pytest.raises(OutputGone):
                await client.download("https://localhost/a.png", tmp_path / "a", limit=1000)
        assert way.proxy.asked == ["files.example:443"]  # the proxy looks names up: it was asked for this one


async def test_no_error_shows_the_proxys_user_and_password(tmp_path: Path) -> None:
    async with behind(tmp_path, "wrong-word") as way:
        with pytest.raises(NotSent) as caught:
            await way.client.create_job(way.key.secret, "studio", INPUTS)
        # What discord.py and the photos go through.
        proxy = Proxy.parse(way.proxy.address("wrong-word"))
        async with aiohttp.ClientSession(connector=connector(proxy)) as session:
            with pytest.raises(NoTunnel) as raised:
                await session.get(f"https://{HOST}/")
    assert str(raised.value).endswith("refused the user and password in HTTPS_PROXY")
    assert caught.value.reason == str(raised.value)
    chain = [raised.value, raised.value.__cause__, raised.value.__context__]
    assert not [one for one in chain if "wrong-word" in repr(one) or "Basic" in repr(one)]
