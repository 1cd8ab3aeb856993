"""The sandbox's Studii answers as Studii's documentation says."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import aiohttp
import pytest

from sandbox import photos
from sandbox.studii import Clock, Key, Options, StudiiServer

STUDIO: Mapping[str, str] = {
    "mode": "image",
    "source": "text",
    "quality": "standard",
    "aspect_ratio": "16:9",
    "prompt": "A misty pine forest at dawn, shafts of golden light",
}


class MovableClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 5, 14, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(frozen=True)
class Reply:
    status: int
    body: dict[str, object]
    headers: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.body[name]
        assert isinstance(value, str)
        return value


class Client:
    def __init__(self, server: StudiiServer, http: aiohttp.ClientSession, clock: MovableClock) -> None:
        self.server, self.http, self.clock = server, http, clock

    async def send(
        self, method: str, path: str, key: Key | None, body: object = None, **headers: str
    ) -> Reply:
        sent = dict(headers) if key is None else {"Authorization": f"Bearer {key.secret}", **headers}
        async with self.http.request(
            method, self.server.url + path, json=body, headers=sent, allow_redirects=False
        ) as got:
            return Reply(got.status, cast("dict[str, object]", await got.json()), got.headers)

    async def create(
        self, key: Key, tool: str = "studio", inputs: object = STUDIO, source: str | None = None
    ) -> Reply:
        body = {"tool": tool, "inputs": inputs}
        return await self.send(
            "POST", "/jobs", key, body if source is None else {**body, "source_object_key": source}
        )

    async def status(self, key: Key, created: Reply) -> Reply:
        return await self.send("GET", f"/jobs/{created.text('id')}", key)

    async def ask_upload(self, key: Key) -> Reply:
        return await self.send(
            "POST", "/uploads", key, {"filename": "kitchen.jpg", "content_type": "image/jpeg"}
        )

    async def put(self, asked: Reply, data: object, **headers: str) -> int:
        sent = {"Content-Type": "image/jpeg", **headers}
        async with self.http.put(asked.text("signed_url"), data=data, headers=sent) as got:
            return got.status

    async def upload(self, key: Key, data: bytes) -> str:
        asked = await self.ask_upload(key)
        assert await self.put(asked, data) == 200
        return asked.text("object_key")


@asynccontextmanager
async def studii(options: Options | None = None) -> AsyncGenerator[Client]:
    """A server whose clock stands still until it is moved."""
    clock = MovableClock()
    watched: Clock = clock
    async with (
        StudiiServer(options or Options(long_side=96), clock=watched) as server,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
    ):
        yield Client(server, http, clock)


@pytest.fixture
async def api() -> AsyncIterator[Client]:
    async with studii() as client:
        yield client


@pytest.fixture
def key(api: Client) -> Key:
    return api.server.add_key()


async def test_a_job_is_taken_with_the_four_fields_of_the_documentation(api: Client, key: Key) -> None:
    created = await api.create(key)
    assert created.status == 202
    assert created.body == {
        "id": created.text("id"),
        "status": "queued",
        "status_url": f"{api.server.url}/jobs/{created.text('id')}",
        "credits_charged": 8,
    }
    assert key.balance == 992
    assert key.spent == 8


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer nonsense"}, {"x-api-key": "stu_unknown"}],
)
async def test_a_missing_malformed_or_unknown_key_is_401(api: Client, headers: dict[str, str]) -> None:
    refused = await api.send("POST", "/jobs", None, {}, **headers)
    assert refused.status == 401
    assert refused.text("error")


async def test_a_plan_without_the_api_or_the_tool_is_403(api: Client) -> None:
    starter, limited = api.server.add_key("starter"), api.server.add_key(tools={"photo-restore"})
    assert (await api.create(starter)).status == 403
    assert (await api.create(limited)).status == 403
    assert limited.spent == 0


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({**STUDIO, "prompt": ""}, "prompt"),
        ({**STUDIO, "mode": "song"}, "mode"),
        ({**STUDIO, "quality": "best"}, "quality"),
        ({**STUDIO, "aspect_ratio": "5:1"}, "aspect_ratio"),
        ({**STUDIO, "source": "image"}, "source_object_key"),
        ({**STUDIO, "steps": "40"}, "steps"),
        ({**STUDIO, "prompt": 7}, "prompt"),
        ([], "inputs"),
        (None, "inputs"),
    ],
)
async def test_wrong_inputs_are_400_and_named(api: Client, key: Key, inputs: object, named: str) -> None:
    refused = await api.create(key, inputs=inputs)
    assert refused.status == 400
    assert named in refused.text("error")
    assert key.spent == 0


async def test_no_credits_and_a_reached_cap_are_402_in_different_words(api: Client) -> None:
    poor, capped = api.server.add_key(balance=7), api.server.add_key(cap=15)
    out_of_credits = await api.create(poor)
    assert (await api.create(capped)).status == 202
    over_cap = await api.create(capped)
    assert (out_of_credits.status, over_cap.status) == (402, 402)
    assert out_of_credits.text("error") != over_cap.text("error")
    assert (poor.balance, capped.spent) == (7, 8)


async def finished(api: Client, key: Key, **inputs: str) -> dict[str, object]:
    created = await api.create(key, inputs={**STUDIO, **inputs})
    api.clock.advance(100)
    return (await api.status(key, created)).body


async def download(api: Client, address: object) -> tuple[int, str, bytes]:
    async with api.http.get(str(address)) as got:
        return got.status, got.content_type, await got.read()


async def test_a_job_goes_from_queued_over_processing_to_completed(api: Client, key: Key) -> None:
    created = await api.create(key)
    seen = [(await api.status(key, created)).body["status"]]
    for _ in range(20):
        api.clock.advance(1)
        seen.append((await api.status(key, created)).body["status"])
    assert list(dict.fromkeys(seen)) == ["queued", "processing", "completed"]


async def test_a_completed_job_answers_with_the_fields_of_the_documentation(api: Client, key: Key) -> None:
    body = await finished(api, key)
    documented = "id status output_url output_kind tool error created_at completed_at credits_charged"
    assert set(body) == set(documented.split())
    assert (body["output_kind"], body["tool"], body["error"]) == ("image", "studio", None)
    assert str(body["created_at"]) < str(body["completed_at"])


@pytest.mark.parametrize("data", [b"not a picture at all", photos.portrait((90, 110))[:2000]])
async def test_a_source_that_is_no_whole_picture_makes_the_job_fail_and_costs_nothing(
    api: Client, key: Key, data: bytes
) -> None:
    source = await api.upload(key, data)
    created = await api.create(key, "photo-restore", {}, source)
    api.clock.advance(100)
    body = (await api.status(key, created)).body
    assert (body["status"], body["credits_charged"], body["output_url"]) == ("failed", 0, None)
    assert key.balance == 1000


async def refused_source(api: Client, key: Key, object_key: str) -> Reply:
    refused = await api.create(key, "photo-restore", {}, object_key)
    assert refused.status == 400
    assert "source_object_key" in refused.text("error")
    return refused


async def test_an_upload_answers_with_the_four_fields_of_the_documentation(api: Client, key: Key) -> None:
    asked = await api.ask_upload(key)
    assert asked.status == 200
    assert set(asked.body) == {"object_key", "signed_url", "token", "expires_in"}
    assert asked.body["expires_in"] == 7200
    assert asked.text("token") in asked.text("signed_url")
    assert asked.text("object_key").startswith(f"{key.account.id}/")


async def test_a_signed_address_is_good_for_one_upload(api: Client, key: Key) -> None:
    asked = await api.ask_upload(key)
    assert [await api.put(asked, b"one"), await api.put(asked, b"two")] == [200, 409]
    assert api.server.uploads[asked.text("object_key")].data == b"one"


async def test_a_source_must_have_arrived_and_be_ones_own(api: Client, key: Key) -> None:
    asked = await api.ask_upload(key)
    await refused_source(api, key, asked.text("object_key"))
    await refused_source(api, key, "8a1f/9c3e.jpg")
    theirs = await api.upload(api.server.add_key(), b"theirs")
    await refused_source(api, key, theirs)
    assert key.spent == 0
