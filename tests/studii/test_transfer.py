"""Bytes arrive whole or not at all, whatever their number, and memory stays flat. The engine tries again."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from bot.studii import (
    DownloadFailed,
    OutputGone,
    StudiiClient,
    StudiiError,
    Timeouts,
    TooLarge,
    UploadFailed,
    UploadTarget,
)
from sandbox.studii import Fault, Key, Outcome, Output, StudiiServer, faults
from tests.studii.conftest import HOST, INPUTS, QUICK, Handler, answering, behind

PICTURE = bytes(range(256)) * 400
PIECE = bytes(2**16)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "kitchen.jpg"
    path.write_bytes(PICTURE)
    return path


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def sending(pieces: int, announced: int | None, begun: asyncio.Event | None = None) -> Handler:
    """Send so many pieces and announce so many bytes, or none; what comes is read."""

    async def answer(request: web.Request) -> web.StreamResponse:
        async for _ in request.content.iter_chunked(2**16):
            pass
        if request.method == "PUT":
            return web.Response()
        response = web.StreamResponse()
        response.content_length = announced
        await response.prepare(request)
        for _ in range(pieces):
            await response.write(PIECE)
        if begun is not None:
            begun.set()
            await asyncio.sleep(5)
        return response

    return answer


async def finished(client: StudiiClient, server: StudiiServer, key: Key) -> str:
    """The output address of a job that is done."""
    server.next_job(Outcome(output=Output(PICTURE, "image/png")))
    created = await client.create_job(key.secret, "studio", INPUTS)
    report = await client.job_status(key.secret, created.id)
    assert report.output_url
    return report.output_url


UPLOADS: list[tuple[Fault, int | None]] = [
    *((faults.error(status), status) for status in (400, 409, 413, 429, 500)),
    *((faults.proxy_error(503), 503), (faults.Redirect(307), 307)),
    *((fault, None) for fault in (faults.DropBefore(), faults.DropAfter(), faults.Slow(1.0, after=True))),
]


@pytest.mark.parametrize(("fault", "status"), UPLOADS, ids=repr)
async def test_a_signed_address_is_used_once(
    client: StudiiClient, server: StudiiServer, key: Key, photo: Path, fault: Fault, status: int | None
) -> None:
    target = await client.request_upload(key.secret, photo.name, "image/jpeg")
    server.fail("put", fault)
    server.fail("put", faults.error(500), times=5)
    with pytest.raises(UploadFailed) as failed:
        await client.put(target, photo, "image/jpeg")
    assert server.failures.left("put") == 5
    assert failed.value.too_large_for_any == (status == 413)
    assert failed.value.reason == (f"status {status}" if status else failed.value.reason)
    server.failures.clear()
    target = await client.request_upload(key.secret, photo.name, "image/jpeg")
    await client.put(target, photo, "image/jpeg")
    upload = server.uploads[target.object_key]
    assert (upload.data, upload.filename, upload.content_type) == (PICTURE, "kitchen.jpg", "image/jpeg")
    assert "token" not in repr(target)


async def test_what_is_wrong_with_the_photo_is_not_a_failure_of_studii(
    client: StudiiClient, photo: Path
) -> None:
    nowhere = UploadTarget("a.jpg", "http://127.0.0.1:1/a")
    with pytest.raises(FileNotFoundError):
        await client.put(nowhere, photo.with_name("gone"), "image/jpeg")
    with pytest.raises(UploadFailed) as failed:
        await client.put(nowhere, photo, "image/jpeg")
    assert failed.value.reason == "ClientConnectorError"


async def test_storage_gets_a_length_and_no_key(photo: Path) -> None:
    async with answering(sending(0, 0)) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        await client.put(UploadTarget("a.jpg", f"{bare.url}/a?token=%2f+x"), photo, "image/jpeg")
        [headers] = bare.headers
    assert not {"Authorization", "Transfer-Encoding"} & set(headers)
    assert (headers["Content-Length"], headers["Content-Type"]) == (str(len(PICTURE)), "image/jpeg")


DOWNLOADS: list[tuple[Fault, type[StudiiError]]] = [
    *((faults.error(status), OutputGone) for status in (400, 401, 403, 404, 410)),
    *((fault, DownloadFailed) for fault in (faults.Truncated(), faults.DropBefore(), faults.DropAfter())),
    *((fault, DownloadFailed) for fault in (faults.Slow(1.0), faults.proxy_error(502), faults.error(429))),
    *((fault, DownloadFailed) for fault in (faults.Answer(200, ""), faults.Redirect(302))),
]


@pytest.mark.promise
@pytest.mark.parametrize(("fault", "error"), DOWNLOADS, ids=repr)
async def test_an_output_arrives_byte_for_byte_or_not_at_all(
    client: StudiiClient,
    server: StudiiServer,
    key: Key,
    tmp_path: Path,
    fault: Fault,
    error: type[StudiiError],
) -> None:
    address = await finished(client, server, key)
    server.fail("output", fault)
    server.fail("output", faults.error(500), times=5)
    with pytest.raises(error):
        await client.download(address, tmp_path / "out.png", limit=2**20)
    assert server.failures.left("output") == 5
    assert not names_in(tmp_path)
    server.failures.clear()
    download = await client.download(address, tmp_path / "out.png", limit=len(PICTURE))
    assert (download.size, download.content_type) == (len(PICTURE), "image/png")
    assert (tmp_path / "out.png").read_bytes() == PICTURE
    assert names_in(tmp_path) == ["out.png"]
    with pytest.raises(FileNotFoundError):
        await client.download(address, tmp_path / "gone" / "out", limit=2**20)


@pytest.mark.parametrize("announced", [2 * 2**20, None])
async def test_an_output_over_the_limit_is_not_kept(tmp_path: Path, *, announced: int | None) -> None:
    destination = tmp_path / "out.png"
    destination.write_bytes(b"what was there before")
    async with answering(sending(32, announced)) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        with pytest.raises(TooLarge) as large:
            await client.download(f"{bare.url}/out", destination, limit=2**20)
    assert large.value.told.arguments == {"limit": 2**20}
    assert destination.read_bytes() == b"what was there before"
    assert names_in(tmp_path) == ["out.png"]


@pytest.mark.promise
async def test_a_job_goes_all_its_way_through_a_proxy(tmp_path: Path, photo: Path) -> None:
    async with behind(tmp_path, timeouts=Timeouts()) as way:  # drawing the output takes a while
        client, secret = way.client, way.key.secret
        await client.put(await client.request_upload(secret, "a.png", "image/png"), photo, "image/png")
        tunnels = len(way.proxy.asked)
        await client.create_job(secret, "studio", INPUTS)
        created = await client.create_job(secret, "studio", INPUTS)
        assert len(way.proxy.asked) == tunnels + 2  # a paid request has a fresh one, others keep theirs
        assert tunnels == 2
        report = await client.job_status(secret, created.id, created.status_url)
        got = await client.download(report.output_url or "", tmp_path / "output", limit=10_000_000)
        assert got.size == (tmp_path / "output").stat().st_size
        assert [upload.data for upload in way.server.uploads.values()] == [PICTURE]
        assert set(way.proxy.asked) == {f"{HOST}:443"}
