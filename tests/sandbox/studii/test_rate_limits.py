"""Studii API docs: Rate limits."""

import pytest

from sandbox.studii import Key, Plan, RateStyle
from tests.sandbox.studii.client import Client


async def burst(api: Client, key: Key, number: int) -> list[int]:
    return [(await api.send("GET", "/jobs/none", key)).status for _ in range(number)]


@pytest.mark.parametrize(("plan", "limit"), [("pro", 60), ("team", 300), ("business", 300)])
async def test_each_plan_has_its_requests_a_minute(api: Client, plan: Plan, limit: int) -> None:
    key = api.server.add_key(plan)
    statuses = await burst(api, key, limit + 1)
    assert statuses == [404] * limit + [429]
    assert api.server.requests.count("status", status=429, key=key.hint) == 1


async def test_room_comes_back_when_the_oldest_request_is_a_minute_old(api: Client) -> None:
    key = api.server.add_key(rate_limit=2)
    await burst(api, key, 1)
    api.clock.advance(30)
    assert await burst(api, key, 2) == [404, 429]
    api.clock.advance(30)
    assert await burst(api, key, 2) == [404, 429]


async def test_a_refusal_says_when_to_come_back_unless_it_does_not(api: Client) -> None:
    told, untold = (
        api.server.add_key(rate_limit=0),
        api.server.add_key(rate_limit=0, rate_style=RateStyle(retry_after=False)),
    )
    assert (await api.send("GET", "/jobs/none", told)).headers["Retry-After"] == "60"
    assert "Retry-After" not in (await api.send("GET", "/jobs/none", untold)).headers


async def test_refused_requests_count_only_if_they_are_said_to(api: Client) -> None:
    for counts, then in ((False, 404), (True, 429)):
        key = api.server.add_key(rate_limit=1, rate_style=RateStyle(counts_refused=counts))
        assert await burst(api, key, 1) == [404]
        api.clock.advance(40)
        assert await burst(api, key, 1) == [429]
        api.clock.advance(40)
        assert await burst(api, key, 1) == [then]


async def test_a_fixed_window_starts_anew_and_a_bucket_drips(api: Client) -> None:
    fixed = api.server.add_key(rate_limit=2, rate_style=RateStyle(counting="fixed"))
    bucket = api.server.add_key(rate_limit=60, rate_style=RateStyle(counting="bucket", burst=3))
    api.clock.seconds = 1199
    assert await burst(api, fixed, 3) == [404, 404, 429]
    assert await burst(api, bucket, 4) == [404, 404, 404, 429]
    api.clock.advance(1)
    assert await burst(api, fixed, 3) == [404, 404, 429]
    assert await burst(api, bucket, 2) == [404, 429]


async def test_keys_do_not_share_their_allowance_and_signed_addresses_need_none(api: Client) -> None:
    one, other = api.server.add_key(rate_limit=1), api.server.add_key(rate_limit=1)
    asked = await api.ask_upload(one)
    assert await api.put(asked, b"x") == 200
    assert (await api.ask_upload(one)).status == 429
    assert (await api.ask_upload(other)).status == 200
