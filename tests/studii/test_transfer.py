"""Bytes arrive whole or not at all, whatever their number, and memory stays flat."""

import asyncio
import hashlib
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Literal

import pytest
from aiohttp import web

from bot.aio.file_opening import opened
from bot.studii import (
    DownloadFailed,
    OutputGone,
    StudiiClient,
    TooLarge,
    UploadFailed,
    UploadTarget,
    transfer,
)
from sandbox.studii import Fault, Key, Outcome, Output, StudiiServer, faults
from tests.studii.bare import answering
from tests.studii.conftest import QUICK

INPUTS = {"mode": "image", "source": "text", "prompt": "A misty pine forest at dawn"}
PICTURE = bytes(range(256)) * 400
BIG = 32 * 2**20
PIECE = bytes(2**16)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "kitchen.jpg"
    path.write_bytes(PICTURE)
    return path


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def finished(client: StudiiClient, server: StudiiServer, key: Key) -> str:
    """The output address of a job that is done."""
    server.next_job(Outcome(output=Output(PICTURE, "image/png")))
    created = await client.create_job(key.secret, "studio", INPUTS)
    report = await client.job_status(key.secret, created.id)
    assert report.output_url
    return report.output_url


async def test_a_photo_arrives_byte_for_byte(
    client: StudiiClient, server: StudiiServer, key: Key, photo: Path
) -> None:
    target = await client.request_upload(key.secret, photo.name, "image/jpeg")
    await client.put(target, photo, "image/jpeg")
    upload = server.uploads[target.object_key]
    assert (upload.data, upload.filename, upload.content_type) == (PICTURE, "kitchen.jpg", "image/jpeg")
    assert "token" not in repr(target)


@pytest.mark.parametrize("fault", [faults.error(500), faults.proxy_error(503), faults.error(429)], ids=repr)
async def test_a_storage_that_says_not_now_is_given_the_photo_again(
    client: StudiiClient, server: StudiiServer, key: Key, photo: Path, fault: Fault
) -> None:
    target = await client.request_upload(key.secret, photo.name, "image/jpeg")
    server.fail("put", fault, times=2)
    await client.put(target, photo, "image/jpeg")
    assert server.uploads[target.object_key].data == PICTURE


@pytest.mark.parametrize(
    "fault", [faults.DropBefore(), faults.DropAfter(), faults.Slow(1.0, after=True)], ids=repr
)
async def test_a_signed_address_is_not_used_again_when_the_answer_was_lost(
    client: StudiiClient, server: StudiiServer, key: Key, photo: Path, fault: Fault
) -> None:
    target = await client.request_upload(key.secret, photo.name, "image/jpeg")
    server.fail("put", fault)
    server.fail("put", faults.error(500), times=5)
    with pytest.raises(UploadFailed) as failed:
        await client.put(target, photo, "image/jpeg")
    assert failed.value.status is None
    assert failed.value.reason
    assert server.failures.left("put") == 5


@pytest.mark.parametrize("fault", [faults.error(400), faults.error(409), faults.Redirect(307)], ids=repr)
async def test_a_refused_photo_is_not_sent_again(
    client: StudiiClient, server: StudiiServer, key: Key, photo: Path, fault: Fault
) -> None:
    target = await client.request_upload(key.secret, photo.name, "image/jpeg")
    server.fail("put", fault, times=5)
    with pytest.raises(UploadFailed):
        await client.put(target, photo, "image/jpeg")
    assert server.failures.left("put") == 4


async def test_attempts_to_upload_are_bounded(
    client: StudiiClient, server: StudiiServer, key: Key, photo: Path
) -> None:
    target = await client.request_upload(key.secret, photo.name, "image/jpeg")
    server.fail("put", faults.error(503), times=10)
    with pytest.raises(UploadFailed) as failed:
        await client.put(target, photo, "image/jpeg")
    assert failed.value.status == 503
    assert server.failures.left("put") == 7


async def test_a_photo_that_is_too_large_for_the_storage_says_so(
    client: StudiiClient, server: StudiiServer, key: Key, photo: Path
) -> None:
    target = await client.request_upload(key.secret, photo.name, "image/jpeg")
    server.fail("put", faults.error(413))
    with pytest.raises(UploadFailed, match="too large") as failed:
        await client.put(target, photo, "image/jpeg")
    assert failed.value.status == 413


async def test_a_storage_that_cannot_be_reached_fails_the_upload(client: StudiiClient, photo: Path) -> None:
    with pytest.raises(UploadFailed) as failed:
        await client.put(UploadTarget("a.jpg", "http://127.0.0.1:1/a"), photo, "image/jpeg")
    assert failed.value.reason == "ClientConnectorError"


async def test_a_photo_that_is_missing_is_not_a_failure_of_studii(
    client: StudiiClient, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await client.put(UploadTarget("a.jpg", "http://127.0.0.1:1/a"), tmp_path / "gone", "image/jpeg")


async def test_addresses_must_be_https_where_the_api_is(tmp_path: Path, photo: Path) -> None:
    async with StudiiClient("https://studii.tech/api/v1") as client:
        with pytest.raises(UploadFailed):
            await client.put(UploadTarget("a.jpg", "http://files.example/a"), photo, "image/jpeg")
        with pytest.raises(OutputGone):
            await client.download("http://files.example/a", tmp_path / "out", limit=10)


async def test_an_output_arrives_byte_for_byte(
    client: StudiiClient, server: StudiiServer, key: Key, tmp_path: Path
) -> None:
    download = await client.download(
        await finished(client, server, key), tmp_path / "out.png", limit=len(PICTURE)
    )
    assert (download.size, download.content_type) == (len(PICTURE), "image/png")
    assert (tmp_path / "out.png").read_bytes() == PICTURE
    assert names_in(tmp_path) == ["out.png"]


PASSING: list[Fault] = [
    faults.Truncated(),
    faults.DropBefore(),
    faults.DropAfter(),
    faults.Slow(1.0),
    faults.proxy_error(502),
    faults.error(429),
    faults.Answer(200, ""),
]


@pytest.mark.parametrize("fault", PASSING, ids=repr)
async def test_an_output_that_was_cut_off_is_fetched_again(
    client: StudiiClient, server: StudiiServer, key: Key, tmp_path: Path, fault: Fault
) -> None:
    address = await finished(client, server, key)
    server.fail("output", fault, times=2)
    await client.download(address, tmp_path / "out.png", limit=2**20)
    assert (tmp_path / "out.png").read_bytes() == PICTURE


async def test_an_output_that_is_cut_off_every_time_leaves_nothing_behind(
    client: StudiiClient, server: StudiiServer, key: Key, tmp_path: Path
) -> None:
    address = await finished(client, server, key)
    server.fail("output", faults.Truncated(), times=10)
    with pytest.raises(DownloadFailed):
        await client.download(address, tmp_path / "out.png", limit=2**20)
    assert server.failures.left("output") == 7
    assert not names_in(tmp_path)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_an_output_that_is_gone_is_not_asked_for_again(
    client: StudiiClient, server: StudiiServer, key: Key, tmp_path: Path, status: int
) -> None:
    address = await finished(client, server, key)
    server.fail("output", faults.error(status), times=5)
    with pytest.raises(OutputGone):
        await client.download(address, tmp_path / "out.png", limit=2**20)
    assert server.failures.left("output") == 4
    assert not names_in(tmp_path)


@pytest.mark.promise
async def test_a_redirect_of_an_output_is_not_followed(
    client: StudiiClient, server: StudiiServer, key: Key, tmp_path: Path
) -> None:
    address = await finished(client, server, key)
    server.fail("output", faults.Redirect(302))
    with pytest.raises(DownloadFailed):
        await client.download(address, tmp_path / "out.png", limit=2**20)


@pytest.mark.parametrize("announced", [True, False])
async def test_an_output_over_the_limit_is_not_kept(tmp_path: Path, *, announced: bool) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if announced:
            response.content_length = 2 * 2**20
        await response.prepare(request)
        for _ in range(32):
            await response.write(PIECE)
        return response

    destination = tmp_path / "out.png"
    destination.write_bytes(b"what was there before")
    async with answering(answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        with pytest.raises(TooLarge, match="larger than the limit of 1 MiB"):
            await client.download(f"{bare.url}/out", destination, limit=2**20)
    assert destination.read_bytes() == b"what was there before"
    assert names_in(tmp_path) == ["out.png"]


async def test_a_cancelled_download_leaves_nothing_behind(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 2 * len(PIECE)
        await response.prepare(request)
        await response.write(PIECE)
        begun.set()
        await asyncio.sleep(5)
        return response

    timeouts = type(QUICK)(read=5.0)
    async with answering(answer) as bare, StudiiClient(bare.url, timeouts=timeouts) as client:
        task = asyncio.create_task(client.download(f"{bare.url}/out", tmp_path / "out.png", limit=2**20))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not names_in(tmp_path)


async def test_an_upload_that_is_cancelled_again_and_again_leaves_no_file_open(
    client: StudiiClient, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, files, free = asyncio.get_running_loop(), list[BinaryIO](), threading.Event()
    with ThreadPoolExecutor(1) as busy:

        async def remembered(path: Path, mode: Literal["rb", "wb"]) -> BinaryIO:
            files.append(await opened(path, mode))
            busy.submit(free.wait)
            loop.set_default_executor(busy)  # what is left to do finds no thread
            return files[0]

        monkeypatch.setattr(transfer, "opened", remembered)
        task = asyncio.create_task(client.put(UploadTarget("a", "https://nowhere.test"), photo, "image/jpeg"))
        while not files:  # noqa: ASYNC110 - a thread opens it
            await asyncio.sleep(0.001)
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        free.set()
    loop.set_default_executor(ThreadPoolExecutor())
    assert [file.closed for file in files] == [True]


async def test_a_folder_that_cannot_be_written_is_not_a_failure_of_studii(
    client: StudiiClient, server: StudiiServer, key: Key, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await client.download(await finished(client, server, key), tmp_path / "gone" / "out", limit=2**20)


async def test_storage_gets_a_length_and_no_key(photo: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    async with answering(answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        await client.put(UploadTarget("a.jpg", f"{bare.url}/a?token=%2f+x"), photo, "image/jpeg")
        [headers] = bare.headers
    assert "Authorization" not in headers
    assert "Transfer-Encoding" not in headers
    assert (headers["Content-Length"], headers["Content-Type"]) == (str(len(PICTURE)), "image/jpeg")


async def test_memory_stays_flat_whatever_the_size(tmp_path: Path) -> None:
    received = hashlib.sha256()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "PUT":
            async for chunk in request.content.iter_chunked(2**16):
                received.update(chunk)
            return web.Response()
        response = web.StreamResponse()
        response.content_length = BIG
        await response.prepare(request)
        for _ in range(BIG // len(PIECE)):
            await response.write(PIECE)
        return response

    big, fetched = tmp_path / "big", tmp_path / "fetched"
    with big.open("wb") as file:
        file.truncate(BIG)
    async with answering(answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        tracemalloc.start()
        try:
            await client.put(UploadTarget("big", f"{bare.url}/big"), big, "image/png")
            await client.download(f"{bare.url}/big", fetched, limit=BIG)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < BIG / 4
    assert received.hexdigest() == hashlib.sha256(bytes(BIG)).hexdigest()
    assert fetched.stat().st_size == BIG
