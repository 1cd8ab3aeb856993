"""What tests can make the server do wrong."""

import aiohttp
import pytest

from sandbox.studii import Fault, Key, Options, faults
from tests.sandbox.studii.client import Client, studii


async def test_a_fault_meets_as_many_requests_as_it_was_told_to(api: Client, key: Key) -> None:
    api.server.fail("create", faults.error(500), times=2)
    assert [(await api.create(key)).status for _ in range(3)] == [500, 500, 202]
    assert len(api.server.jobs) == 1
    assert [request.status for request in api.server.requests] == [500, 500, 202]


@pytest.mark.parametrize(("fault", "jobs"), [(faults.DropBefore(), 0), (faults.DropAfter(), 1)])
async def test_a_connection_may_close_before_or_after_the_job_is_taken(
    api: Client, key: Key, fault: Fault, jobs: int
) -> None:
    api.server.fail("create", fault)
    with pytest.raises(aiohttp.ClientConnectionError):
        await api.create(key)
    assert len(api.server.jobs) == jobs
    assert key.spent == 8 * jobs
    (request,) = api.server.requests
    assert (request.status, request.key) == (None, key.hint)


@pytest.mark.parametrize(("after", "jobs"), [(False, 0), (True, 1)])
async def test_a_proxy_may_speak_before_or_after_the_job_is_taken(
    api: Client, key: Key, after: bool, jobs: int
) -> None:
    api.server.fail("create", faults.proxy_error(502, after=after))
    with pytest.raises(aiohttp.ContentTypeError):
        await api.create(key)
    assert len(api.server.jobs) == jobs


async def test_an_answer_may_be_cut_off_garbled_or_of_another_shape(api: Client, key: Key) -> None:
    for fault, failure in (
        (faults.Truncated(), aiohttp.ClientPayloadError),
        (faults.Malformed(), ValueError),
    ):
        api.server.fail("create", fault)
        with pytest.raises(failure):
            await api.create(key)
    api.server.fail("create", faults.WrongShape(frozenset({"id"}), {"credits_charged": "many"}))
    body = (await api.create(key)).body
    assert "id" not in body
    assert body["credits_charged"] == "many"
    assert len(api.server.jobs) == 3


async def test_a_slow_answer_takes_effect_though_nobody_waits_for_it(api: Client, key: Key) -> None:
    api.server.fail("create", faults.Slow(30, after=True))
    with pytest.raises(TimeoutError):
        async with api.http.post(
            f"{api.server.url}/jobs",
            json={"tool": "studio", "inputs": {"mode": "image", "source": "text", "prompt": "a fox"}},
            headers={"x-api-key": key.secret},
            timeout=aiohttp.ClientTimeout(total=0.3),
        ):
            pass
    assert len(api.server.jobs) == 1


async def test_a_request_may_be_sent_elsewhere_or_told_to_wait(api: Client, key: Key) -> None:
    api.server.fail("create", faults.Redirect())
    api.server.fail("upload", faults.rate_limited(7))
    headers = {"x-api-key": key.secret}
    async with api.http.post(
        f"{api.server.url}/jobs", json={}, headers=headers, allow_redirects=False
    ) as got:
        assert (got.status, got.headers["Location"]) == (307, f"{api.server.url}/jobs")
    waiting = await api.ask_upload(key)
    assert (waiting.status, waiting.headers["Retry-After"]) == (429, "7")


async def test_an_output_may_be_gone_or_shorter_than_it_says() -> None:
    async with studii(Options(instant=True, long_side=32)) as api:
        key = api.server.add_key()
        address = str((await api.status(key, await api.create(key))).body["output_url"])
        api.server.fail("output", faults.gone())
        api.server.fail("output", faults.Truncated())
        async with api.http.get(address) as got:
            assert got.status == 404
        async with api.http.get(address) as got:
            with pytest.raises(aiohttp.ClientPayloadError):
                await got.read()


async def test_an_upload_may_fail_and_be_done_again(api: Client, key: Key) -> None:
    asked = await api.ask_upload(key)
    api.server.fail("put", faults.error(503))
    assert [await api.put(asked, b"x"), await api.put(asked, b"x")] == [503, 200]
