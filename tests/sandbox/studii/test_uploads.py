"""Studii API docs: Upload a source image."""

from collections.abc import AsyncIterator

from sandbox.studii import Key, Options
from tests.sandbox.studii.client import Client, Reply, studii


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


async def test_a_filename_and_a_known_content_type_are_needed(api: Client, key: Key) -> None:
    for body in (
        {"filename": "a.jpg"},
        {"content_type": "image/jpeg"},
        {"filename": "a", "content_type": "text/html"},
    ):
        assert (await api.send("POST", "/uploads", key, body)).status == 400


async def test_a_signed_address_is_good_for_one_upload(api: Client, key: Key) -> None:
    asked = await api.ask_upload(key)
    assert [await api.put(asked, b"one"), await api.put(asked, b"two")] == [200, 409]
    assert api.server.uploads[asked.text("object_key")].data == b"one"


async def test_a_put_with_a_key_another_type_or_no_length_is_refused(api: Client, key: Key) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"piece"

    asked = await api.ask_upload(key)
    assert await api.put(asked, b"x", Authorization=f"Bearer {key.secret}") == 400
    assert await api.put(asked, b"x", **{"Content-Type": "image/png"}) == 400
    assert await api.put(asked, pieces()) == 411
    assert await api.put(asked, b"x") == 200


async def test_a_signed_address_expires() -> None:
    async with studii(Options(upload_lifetime=10)) as api:
        asked = await api.ask_upload(api.server.add_key())
        api.clock.advance(10)
        assert await api.put(asked, b"late") == 400


async def test_too_large_an_upload_is_413() -> None:
    async with studii(Options(max_upload_bytes=1000)) as api:
        asked = await api.ask_upload(api.server.add_key())
        assert await api.put(asked, b"x" * 1001) == 413
        assert await api.put(asked, b"x" * 1000) == 200


async def test_a_forged_token_is_refused(api: Client, key: Key) -> None:
    asked = await api.ask_upload(key)
    async with api.http.put(
        asked.text("signed_url") + "x", data=b"x", headers={"Content-Type": "image/jpeg"}
    ) as got:
        assert got.status == 400


async def test_a_source_must_have_arrived_and_be_ones_own(api: Client, key: Key) -> None:
    asked = await api.ask_upload(key)
    await refused_source(api, key, asked.text("object_key"))
    await refused_source(api, key, "8a1f/9c3e.jpg")
    theirs = await api.upload(api.server.add_key(), b"theirs")
    await refused_source(api, key, theirs)
    assert key.spent == 0
