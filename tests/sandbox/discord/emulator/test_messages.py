"""Messages, reactions, threads and direct messages, with what Discord refuses."""

from collections.abc import AsyncGenerator

import pytest

from sandbox.discord.emulator.places import (
    ATTACH,
    HISTORY,
    MANAGE_MESSAGES,
    MANAGE_THREADS,
    SEND,
    VIEW,
    Overwrite,
    Role,
)
from tests.sandbox.discord.emulator.client import APP, Client, emulated

GUILD, MAYA = 1 << 22, 300
MESSAGES = f"/channels/{GUILD}/messages"
V2 = 1 << 15
TEXT = {"type": 10, "content": "words"}


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with emulated(guilds=[GUILD], limits=None) as one:
        yield one


def deny(client: Client, permissions: int) -> None:
    client.server.places.channels[GUILD].overwrites = [Overwrite(GUILD, deny=permissions)]


async def test_an_enforced_nonce_makes_one_message_for_some_minutes(client: Client) -> None:
    body = {"content": "once", "nonce": "n", "enforce_nonce": True}
    first, second = [(await client.ask("POST", MESSAGES, body)).body["id"] for _ in range(2)]
    client.server.channels.forget_nonces()
    third = (await client.ask("POST", MESSAGES, body)).body["id"]
    assert first == second != third
    assert client.server.channels.sends == 3
    await client.ask("DELETE", f"{MESSAGES}/{third}")
    assert (await client.ask("POST", MESSAGES, body)).code == 10008


@pytest.mark.parametrize(
    "payload",
    [
        {"content": "no content beside components", "components": [TEXT]},
        {"components": []},
        {"components": [TEXT] * 41},
        {"components": [{"type": 10, "content": "x" * 4001}]},
    ],
)
async def test_components_have_their_rules(client: Client, payload: dict[str, object]) -> None:
    assert (await client.ask("POST", MESSAGES, payload | {"flags": V2})).code == 50035
    assert not client.server.messages


async def test_a_message_of_components_stays_one(client: Client) -> None:
    sent = (await client.ask("POST", MESSAGES, {"flags": V2, "components": [TEXT]})).body
    there = f"{MESSAGES}/{sent['id']}"
    assert (await client.ask("PATCH", there, {"flags": 0, "components": [TEXT]})).body["flags"] & V2
    assert (await client.ask("PATCH", there, {"content": "words"})).code == 50035


async def test_files_are_fetched_by_an_address_that_expires_and_can_be_had_anew(client: Client) -> None:
    message = client.server.post(GUILD, MAYA, "", {"a room.png": (b"photo", "image/png")})
    told = message.told()["attachments"][0]
    address = told["url"].replace("https://cdn.discordapp.com", client.server.cdn_address)
    async with client.session.get(address) as response:
        assert (await response.read(), response.content_type) == (b"photo", "image/png")
    (file,) = message.files.values()
    expired = file.address("a room.png", now=0).replace(
        "https://cdn.discordapp.com", client.server.cdn_address
    )
    for wrong in (expired, address.replace("hm=", "hm=0"), address.partition("?")[0]):
        async with client.session.get(wrong) as response:
            assert response.status == 404
    client.server.forget()
    async with client.session.get(address) as response:
        assert response.status == 404


async def test_more_than_the_servers_limit_is_refused() -> None:
    async with emulated(limits=None) as client:
        client.server.add_guild(GUILD, upload_limit=4)
        assert (await client.send_file(GUILD, {}, "room.png", b"photo")).code == 40005


async def test_without_the_intent_only_what_concerns_the_bot_is_seen(client: Client) -> None:
    client.server.post(GUILD, MAYA, "secret", {"room.png": (b"photo", "image/png")})
    client.server.post(GUILD, MAYA, f"for you, <@{APP}>")
    await client.ask("POST", MESSAGES, {"content": "my own"})
    dm = client.server.channels.dm_with(MAYA)
    client.server.post(dm.id, MAYA, "in private")
    own, mentioned, hidden = (await client.ask("GET", MESSAGES)).body
    assert (own["content"], hidden["content"], hidden["attachments"]) == ("my own", "", [])
    assert mentioned["content"].startswith("for you")
    (private,) = (await client.ask("GET", f"/channels/{dm.id}/messages")).body
    assert private["content"] == "in private"
    client.server.allow_message_content(True)
    assert (await client.ask("GET", MESSAGES)).body[2]["content"] == "secret"


@pytest.mark.parametrize(
    ("denied", "file", "code"),
    [(VIEW, False, 50001), (SEND, False, 50013), (ATTACH, True, 50013), (ATTACH, False, None)],
)
async def test_what_the_bot_may_not_it_can_not(
    client: Client, denied: int, file: bool, code: int | None
) -> None:
    deny(client, denied)
    sent = (
        await client.send_file(GUILD, {}, "room.png", b"photo")
        if file
        else await client.ask("POST", MESSAGES, {"content": "words"})
    )
    assert sent.code == code


async def test_permissions_come_from_roles_and_channels_in_discords_order(client: Client) -> None:
    guild, channel = client.server.places.guilds[GUILD], client.server.places.channels[GUILD]
    guild.roles[5] = Role(5, MANAGE_MESSAGES)
    guild.members[APP] = (5,)
    deny(client, SEND | HISTORY)
    assert not guild.permissions(APP, channel) & SEND
    channel.overwrites += [Overwrite(5, allow=SEND), Overwrite(APP, allow=HISTORY, member=True)]
    may = guild.permissions(APP, channel)
    assert may & (SEND | HISTORY | MANAGE_MESSAGES) == SEND | HISTORY | MANAGE_MESSAGES
    guild.roles[5].permissions = 1 << 3  # administrators may do everything
    assert guild.permissions(APP, channel) & MANAGE_THREADS


async def test_others_messages_can_not_be_edited_and_are_deleted_by_those_who_manage_them(
    client: Client,
) -> None:
    there = f"{MESSAGES}/{client.server.post(GUILD, MAYA, 'mine').id}"
    assert (await client.ask("PATCH", there, {"content": "yours"})).code == 50005
    assert (await client.ask("DELETE", there)).code == 50013
    client.server.places.guilds[GUILD].roles[GUILD].permissions |= MANAGE_MESSAGES
    assert (await client.ask("DELETE", there)).status == 204


async def test_an_archived_thread_opens_for_a_message_and_a_locked_one_does_not(client: Client) -> None:
    thread = (await client.ask("POST", f"/channels/{GUILD}/threads", {"name": "rooms"})).body["id"]
    there, place = f"/channels/{thread}/messages", client.server.places.channels[int(thread)]
    sent = (await client.ask("POST", there, {"content": "words"})).body["id"]
    place.archived = True
    assert (await client.ask("PATCH", f"{there}/{sent}", {"content": "more"})).code == 50083
    assert (await client.ask("PATCH", f"/channels/{thread}", {"archived": False})).body["name"] == "rooms"
    place.archived = True
    assert (await client.ask("POST", there, {"content": "more"})).status == 200
    assert not place.archived
    place.locked = True
    assert (await client.ask("POST", there, {"content": "more"})).code == 50013


async def test_closed_direct_messages_are_refused(client: Client) -> None:
    dm = (await client.ask("POST", "/users/@me/channels", {"recipient_id": str(MAYA)})).body
    client.server.places.channels[int(dm["id"])].closed = True
    there = f"/channels/{dm['id']}/messages"
    assert (await client.ask("POST", there, {"content": "hello"})).code == 50007
