"""What may be sent twice, row by row, directly and through a proxy. Each call is exactly one request."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from bot.aio.net import Connector, Proxy
from bot.studii import (
    ApiFailed,
    ApiRefused,
    BadInputs,
    KeyRefused,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    OutcomeUnknown,
    OutOfCredits,
    PlanRefused,
    RateLimited,
    StudiiClient,
    StudiiError,
)
from sandbox.studii import Endpoint, Fault, Key, Options, StudiiServer, faults
from sandbox.studii.api import API
from tests.studii.conftest import ENDPOINTS, HOST, INPUTS, QUICK, ask, behind, speaking
from tests.support.proxy import Trouble

Way = Literal["direct", "proxy"]
WAYS: tuple[Way, ...] = ("direct", "proxy")


@asynccontextmanager
async def led(way: Way, folder: Path) -> AsyncGenerator[tuple[StudiiServer, StudiiClient, Key]]:
    if way == "proxy":
        async with behind(folder) as there:
            yield there.server, there.client, there.key
    else:
        async with (
            StudiiServer(Options(instant=True)) as server,
            StudiiClient(server.url, timeouts=QUICK) as client,
        ):
            yield server, client, server.add_key()


# The fault, what it means for a job, and what it means for a question.
TABLE: list[tuple[Fault, type[StudiiError], type[StudiiError]]] = [
    (faults.error(400), BadInputs, BadInputs),
    (faults.error(401), KeyRefused, KeyRefused),
    (faults.error(402), OutOfCredits, OutOfCredits),
    (faults.error(403), PlanRefused, PlanRefused),
    (faults.error(409), ApiRefused, ApiRefused),
    (faults.error(422), ApiRefused, ApiRefused),
    (faults.rate_limited(3), RateLimited, RateLimited),
    (faults.error(500), ApiFailed, ApiFailed),
    (faults.proxy_error(502), OutcomeUnknown, ApiFailed),
    (faults.proxy_error(502, after=True), OutcomeUnknown, ApiFailed),
    (faults.error(503), OutcomeUnknown, ApiFailed),
    (faults.proxy_error(504, after=True), OutcomeUnknown, ApiFailed),
    (faults.Redirect(302), OutcomeUnknown, MalformedAnswer),
    (faults.Redirect(303), OutcomeUnknown, MalformedAnswer),
    (faults.Redirect(307), OutcomeUnknown, MalformedAnswer),
    (faults.Answer(200, "", after=True), OutcomeUnknown, MalformedAnswer),
    (faults.Answer(202, "<html>", "text/html", after=True), OutcomeUnknown, MalformedAnswer),
    (faults.Answer(202, json.dumps({"id": "x" * 2**20}), after=True), OutcomeUnknown, MalformedAnswer),
    (faults.Malformed(), OutcomeUnknown, MalformedAnswer),
    (faults.Truncated(), OutcomeUnknown, MalformedAnswer),
    (faults.DropBefore(), OutcomeUnknown, NoAnswer),
    (faults.DropAfter(), OutcomeUnknown, NoAnswer),
    (faults.Slow(1.0), OutcomeUnknown, NoAnswer),
    (faults.Slow(1.0, after=True), OutcomeUnknown, NoAnswer),
]


@pytest.mark.promise
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
# Not the whole of it: some answers are long, and a name goes with every report of a test.
@pytest.mark.parametrize(("fault", "of_a_job", "of_a_question"), TABLE, ids=lambda one: repr(one)[:60])
async def test_whatever_comes_back_a_request_is_sent_once(
    tmp_path: Path,
    way: Way,
    endpoint: Endpoint,
    fault: Fault,
    of_a_job: type[StudiiError],
    of_a_question: type[StudiiError],
) -> None:
    async with led(way, tmp_path) as (server, client, key):
        job = await client.create_job(key.secret, "studio", INPUTS)
        await ask(client, key.secret, endpoint, job.id)  # the next one finds a kept-alive connection
        server.fail(endpoint, fault)
        server.fail(endpoint, faults.error(418), times=3)
        with pytest.raises(StudiiError) as told:
            await ask(client, key.secret, endpoint, job.id)
        assert type(told.value) is (of_a_job if endpoint == "create" else of_a_question)
        assert told.value.reason
        assert server.failures.left(endpoint) == 3
        server.failures.clear()
        await ask(client, key.secret, endpoint, job.id)


UNREADABLE: list[dict[str, object]] = [
    {"id": None},
    {"id": ["8a1f"]},
    {"id": ""},
    {"id": "a b"},
    {"id": "x" * 201},
]


@pytest.mark.promise
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("odd", UNREADABLE, ids=lambda one: repr(one)[:20])
async def test_a_job_without_an_id_may_have_been_taken(
    tmp_path: Path, way: Way, odd: dict[str, object]
) -> None:
    async with led(way, tmp_path) as (server, client, key):
        server.fail("create", faults.WrongShape(without=frozenset(), replaced=odd))
        with pytest.raises(OutcomeUnknown):
            await ask(client, key.secret, "create")
        assert server.requests.count("create") == 1


@pytest.mark.promise
@pytest.mark.parametrize(
    "answer",
    [b"garbage\r\n\r\n", b"HTTP/1.1 202 OK\r\nContent-Length: many\r\n\r\n", b"HTTP/1.1 202 Acc", b""],
)
@pytest.mark.parametrize(
    ("endpoint", "error"), [("create", OutcomeUnknown), ("status", NoAnswer), ("upload", NoAnswer)]
)
async def test_what_is_not_even_http_is_a_lost_answer(
    answer: bytes, endpoint: Endpoint, error: type[StudiiError]
) -> None:
    async with speaking(answer, answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        with pytest.raises(error):
            await ask(client, "stu_key", endpoint)
        assert len(bare.bodies) == 1


TROUBLES: tuple[Trouble, ...] = (403, 407, 502, 503, "hang up", "garbage", "silence")


@pytest.mark.promise
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_a_proxy_does_not_let_through_was_certainly_not_sent(
    tmp_path: Path, endpoint: Endpoint, trouble: Trouble
) -> None:
    async with behind(tmp_path) as way:
        way.proxy.trouble = trouble
        with pytest.raises(NotSent):
            await ask(way.client, way.key.secret, endpoint)
        assert not way.server.requests
        assert way.proxy.asked == [f"{HOST}:443"]


@pytest.mark.promise
@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_without_a_connection_nothing_was_sent(tmp_path: Path, endpoint: Endpoint) -> None:
    async def speak_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"plain words\r\n")
        writer.close()

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        refused = f"127.0.0.1:{taken.getsockname()[1]}"
        proxy = Proxy.parse(f"http://{refused}")
        async with await asyncio.start_server(speak_plainly, "127.0.0.1", 0) as plain:
            insecure = f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}"
            ways = {
                f"http://{refused}": (Connector, "ClientConnectorError"),
                "http://studii.invalid": (Connector, "ClientConnectorDNSError"),
                insecure: (Connector, "ClientConnectorSSLError"),
                f"https://{HOST}": (partial(Connector, proxy), f"the proxy {refused} can't be reached"),
            }
            for address, (connect, reason) in ways.items():
                async with StudiiClient(address, timeouts=QUICK, connect=connect) as client:
                    with pytest.raises(NotSent) as not_sent:
                        await ask(client, "stu_key", endpoint)
                assert not_sent.value.reason == reason


@pytest.mark.promise
async def test_a_connection_that_takes_too_long_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*args: object, **options: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    async with StudiiClient("http://127.0.0.1:9", timeouts=type(QUICK)(connect=0.05)) as client:
        with pytest.raises(NotSent) as not_sent:
            await ask(client, "stu_key", "create")
    assert not_sent.value.reason == "ConnectionTimeoutError"


async def test_a_certificate_of_somebody_else_behind_the_proxy_gets_no_request(tmp_path: Path) -> None:
    async with behind(tmp_path) as way:
        connect = partial(Connector, Proxy.parse(way.proxy.address()), ssl=ssl.create_default_context())
        async with StudiiClient(f"https://{HOST}{API}", timeouts=QUICK, connect=connect) as client:
            with pytest.raises(NotSent) as caught:
                await ask(client, way.key.secret, "create")
        assert caught.value.reason == "ClientConnectorCertificateError"
        assert not way.server.requests


@pytest.mark.promise
async def test_each_job_goes_over_a_connection_of_its_own() -> None:
    answer = b'HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\n\r\n{"id": "8a"}'
    # The second answer on the first connection would be a refusal.
    async with speaking(answer, b"", answer) as bare, StudiiClient(bare.url, timeouts=QUICK) as client:
        await ask(client, "stu_key", "create")
        with pytest.raises(OutcomeUnknown):
            await ask(client, "stu_key", "create")
        await ask(client, "stu_key", "create")
        assert all(b"connection: close" in head.lower() for head in bare.bodies)


async def test_the_total_time_is_bounded_even_if_something_keeps_arriving() -> None:
    head = b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n"
    timeouts = type(QUICK)(connect=1.0, read=5.0, total=0.2)
    async with (
        speaking(head, b"never asked for") as bare,
        StudiiClient(bare.url, timeouts=timeouts) as client,
    ):
        with pytest.raises(OutcomeUnknown):
            await ask(client, "stu_key", "create")
