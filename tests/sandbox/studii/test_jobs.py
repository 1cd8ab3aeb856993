"""Studii API docs: Poll status."""

from io import BytesIO

import av
import pytest
from PIL import Image

from sandbox import photos
from sandbox.studii import Durations, Key, Options, Outcome, Output
from tests.sandbox.studii.client import STUDIO, Client, studii


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


async def test_durations_are_spread_and_follow_the_speed() -> None:
    async with studii(Options(durations=Durations(image=4, spread=0.4), speed=2)) as api:
        key = api.server.add_key()
        for _ in range(20):
            await api.create(key)
        durations = sorted(job.duration for job in api.server.jobs.values())
        assert durations[0] < 1.9 < 2.1 < durations[-1]


async def test_an_output_is_served_as_promised_without_a_key(api: Client, key: Key) -> None:
    body = await finished(api, key)
    status, content_type, data = await download(api, body["output_url"])
    assert (status, content_type) == (200, "image/jpeg")
    assert data == (await api.server.output_of(str(body["id"]))).data
    assert Image.open(BytesIO(data)).size == (96, 54)


async def test_an_output_address_lives_as_long_as_set() -> None:
    async with studii(Options(output_lifetime=60, long_side=32, instant=True)) as api:
        key = api.server.add_key()
        body = (await api.status(key, await api.create(key))).body
        assert (await download(api, body["output_url"]))[0] == 200
        api.clock.advance(61)
        assert (await download(api, body["output_url"]))[0] == 404


async def test_a_video_plays(api: Client, key: Key) -> None:
    body = await finished(api, key, mode="video", aspect_ratio="3:2")
    assert (body["output_kind"], body["credits_charged"]) == ("video", 40)
    _, content_type, data = await download(api, body["output_url"])
    assert content_type == "video/mp4"
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(BytesIO(data), "r") as film:
        (stream,) = film.streams.video
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert 2 <= stream.frames / 24 <= 3
        assert sum(len(packet.decode()) for packet in film.demux(stream)) == stream.frames


@pytest.mark.parametrize(
    ("tool", "inputs", "photo"),
    [
        ("virtual-staging", {"style": "modern", "room": "living"}, photos.empty_room),
        ("photo-restore", {}, photos.old_photo),
        ("product-background", {"background": "marble"}, photos.product),
        ("career-photo", {}, photos.portrait),
        ("studio", {**STUDIO, "source": "image"}, photos.empty_room),
    ],
)
async def test_each_tool_works_on_an_uploaded_photo(
    tool: str, inputs: dict[str, str], photo: photos.Photo
) -> None:
    async with studii(Options(long_side=128, instant=True)) as api:
        key = api.server.add_key()
        data = photo((160, 120))
        source = await api.upload(key, data)
        assert api.server.uploads[source].data == data
        body = (await api.status(key, await api.create(key, tool, inputs, source))).body
        status, content_type, made = await download(api, body["output_url"])
        assert (status, content_type) == (200, "image/jpeg")
        assert made != data
        assert max(Image.open(BytesIO(made)).size) <= 128


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


@pytest.mark.parametrize(("refunded", "charged"), [(True, 0), (False, 8)])
async def test_a_planned_failure_says_why_and_what_it_cost(
    api: Client, key: Key, refunded: bool, charged: int
) -> None:
    api.server.next_job(Outcome(fails="Too much fog.", refunded=refunded))
    body = await finished(api, key)
    assert (body["status"], body["error"], body["credits_charged"]) == ("failed", "Too much fog.", charged)
    assert key.balance == 1000 - charged
    assert (await finished(api, key))["status"] == "completed"


async def test_a_job_may_charge_show_and_deliver_what_it_is_told_to(api: Client, key: Key) -> None:
    mine = Output(b"\x00\x01", "image/png")
    api.server.next_job(Outcome(charge=23, status="upscaling", duration=10, output=mine))
    created = await api.create(key)
    assert created.body["credits_charged"] == 23
    api.clock.advance(9)
    assert (await api.status(key, created)).body["status"] == "upscaling"
    api.clock.advance(1)
    body = (await api.status(key, created)).body
    assert await download(api, body["output_url"]) == (200, "image/png", mine.data)


async def test_a_job_may_never_end_or_end_without_an_address(api: Client, key: Key) -> None:
    api.server.next_job(Outcome(never_ends=True))
    api.server.next_job(Outcome(url_after=300, duration=1))
    endless, late = await api.create(key), await api.create(key)
    api.clock.advance(200)
    body = (await api.status(key, late)).body
    assert (body["status"], body["output_url"]) == ("completed", None)
    api.clock.advance(200)
    assert (await api.status(key, late)).body["output_url"] is not None
    api.clock.advance(90_000)
    assert (await api.status(key, endless)).body["status"] == "processing"


async def test_words_in_a_prompt_decide_how_its_job_ends(api: Client, key: Key) -> None:
    assert (await finished(api, key, prompt="a fox [fail]"))["credits_charged"] == 0
    assert (await finished(api, key, prompt="a fox [fail-charged]"))["credits_charged"] == 8
    assert (await finished(api, key, prompt="a fox [stuck]"))["status"] == "processing"
