"""The emulated Discord refuses what Discord refuses: the other tests believe it."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from sandbox.discord.emulator import TOKEN, DiscordServer, Limit, Limits
from sandbox.discord.emulator.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction
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

GUILD, OTHER, MAYA, APP = 1 << 22, 2 << 22, 300, 7001
MESSAGES = f"/channels/{GUILD}/messages"
SAY, DEFER, UPDATE, FORM = 4, 5, 7, 9
PRIVATE, V2 = 1 << 6, 1 << 15
TEXT = {"type": 10, "content": "words"}
UPLOAD: dict[str, Any] = {"type": 19, "custom_id": "photo", "file_types": ["image", ".HEIC"]}
RADIO: dict[str, Any] = {
    "type": 21,
    "custom_id": "style",
    "options": [{"label": one, "value": one} for one in "ab"],
}
CHECKBOX: dict[str, Any] = {"type": 23, "custom_id": "private"}


@dataclass
class Answer:
    """An answer to a request."""

    status: int
    body: Any

    @property
    def code(self) -> int | None:
        return self.body.get("code") if isinstance(self.body, dict) else None  # type: ignore[union-attr]


@dataclass
class Client:
    """Speaks to the emulator without discord.py, so that each answer is seen as it comes."""

    server: DiscordServer
    session: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, body: Any = None, file: bytes = b"", *, token: str = TOKEN
    ) -> Answer:
        sent: dict[str, Any] = {"json": body}
        if file:
            sent["data"] = form = aiohttp.FormData()
            form.add_field("payload_json", json.dumps(sent.pop("json")), content_type="application/json")
            form.add_field("files[0]", file, filename="room.png", content_type="image/png")
        headers = {"Authorization": f"Bot {token}"}
        async with self.session.request(
            method, f"{self.server.api}{path}", headers=headers, **sent
        ) as response:
            data = await response.read()
            return Answer(
                response.status, json.loads(data) if response.content_type == "application/json" else data
            )

    async def answer(self, interaction: Interaction, kind: Any, data: Any = None) -> Answer:
        """Give the first answer to an interaction."""
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        return await self.ask("POST", path, {"type": kind, "data": data or {}})

    async def webhook(
        self, method: str, interaction: Interaction, rest: str = "", body: Any = None
    ) -> Answer:
        return await self.ask(method, f"/webhooks/{APP}/{interaction.token}{rest}", body)


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with (
        DiscordServer(guilds=[GUILD, OTHER], limits=None) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Client(server, session)


def asked(client: Client) -> Interaction:
    return client.server.send(client.server.command(GUILD, MAYA, "studio", {"prompt": "A kite"}))


async def test_the_first_answer_is_a_message_and_there_is_only_one(client: Client) -> None:
    one = asked(client)
    answer = await client.answer(one, SAY, {"content": "here"})
    assert answer.body["resource"]["message"]["content"] == "here"
    assert (await client.answer(one, SAY, {"content": "again"})).code == 40060
    (shown,) = client.server.in_channel(GUILD)
    assert shown.told()["interaction_metadata"]["user"]["id"] == str(MAYA)


async def test_a_token_that_is_too_old_or_unknown_is_refused(client: Client) -> None:
    one = asked(client)
    one.told_at -= 901
    assert (await client.webhook("POST", one, body={"content": "late"})).code == 50027


@pytest.mark.parametrize(("deferred", "followup"), [(0, PRIVATE), (PRIVATE, 0)])
async def test_the_first_followup_fills_a_deferral_and_keeps_who_can_see_it(
    client: Client, deferred: int, followup: int
) -> None:
    one = asked(client)
    await client.answer(one, DEFER, {"flags": deferred})
    assert one.said_at is None
    filled = (await client.webhook("POST", one, body={"content": "done", "flags": followup})).body
    assert filled["flags"] & PRIVATE == deferred
    assert one.answer is not None
    assert filled["id"] == str(one.answer.id)
    assert one.said_at is not None
    second = (await client.webhook("POST", one, body={"content": "more", "flags": followup})).body
    assert second["id"] != filled["id"]
    assert second["flags"] & PRIVATE == followup


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        (COMMAND, (1, 6, UPDATE, 8, 99, None, "4")),
        (COMPONENT, (1, 8, 99)),
        (AUTOCOMPLETE, (SAY, DEFER, UPDATE, FORM, 99)),
        (MODAL, (UPDATE, 8, FORM, 99)),  # of a command: there is no message to change
    ],
)
async def test_an_answer_of_a_kind_that_the_interaction_does_not_take_is_refused(
    client: Client, kind: int, refused: tuple[Any, ...]
) -> None:
    message = client.server.post(GUILD, MAYA, "press")
    pressed = message if kind == COMPONENT else None
    one = client.server.send(client.server.begin(GUILD, MAYA, kind, {}, pressed=pressed))
    for answered_as in refused:
        assert (await client.answer(one, answered_as, {"content": "here"})).code == 50035
    assert (one.answered_at, one.answered_as, one.said_at) == (None, None, None)
    assert list(client.server.messages.values()) == [message]
    taken = 8 if kind == AUTOCOMPLETE else DEFER
    assert (await client.answer(one, taken)).status == 200


async def test_what_one_person_alone_sees_can_be_reached_by_its_token_alone(client: Client) -> None:
    one = asked(client)
    shown = await client.answer(one, SAY, {"content": "for you", "flags": PRIVATE})
    message = shown.body["resource"]["message"]["id"]
    assert (await client.ask("GET", f"/channels/{GUILD}/messages")).body == []
    for method, path in (("PATCH", ""), ("DELETE", ""), ("PUT", "/reactions/x/@me")):
        there = f"/channels/{GUILD}/messages/{message}{path}"
        assert (await client.ask(method, there, {"content": "!"})).code == 10008
    answer = {"content": "it", "message_reference": {"message_id": message}}
    assert (await client.webhook("PATCH", one, "/messages/@original", {"content": "new"})).status == 200
    assert (await client.ask("POST", f"/channels/{GUILD}/messages", answer)).code == 50035
    assert (await client.webhook("DELETE", one, f"/messages/{message}")).status == 204


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


async def test_what_is_chosen_in_a_menu_is_told_by_ids_that_javascript_can_read(client: Client) -> None:
    menu = {"type": 8, "custom_id": "menu", "default_values": [{"id": GUILD, "type": "channel"}]}
    sent = await client.ask("POST", MESSAGES, {"components": [{"type": 1, "components": [menu]}]})
    (told,) = sent.body["components"][0]["components"]
    assert told["default_values"] == [{"id": str(GUILD), "type": "channel"}]


@pytest.mark.parametrize(
    ("denied", "file", "code"),
    [(VIEW, False, 50001), (SEND, False, 50013), (ATTACH, True, 50013), (ATTACH, False, None)],
)
async def test_what_the_bot_may_not_it_can_not(
    client: Client, denied: int, file: bool, code: int | None
) -> None:
    client.server.places.channels[GUILD].overwrites = [Overwrite(GUILD, deny=denied)]
    sent = (
        await client.ask("POST", MESSAGES, {}, b"photo")
        if file
        else await client.ask("POST", MESSAGES, {"content": "words"})
    )
    assert sent.code == code


async def test_permissions_come_from_roles_and_channels_in_discords_order(client: Client) -> None:
    guild, channel = client.server.places.guilds[GUILD], client.server.places.channels[GUILD]
    guild.roles[5] = Role(5, MANAGE_MESSAGES)
    guild.members[APP] = (5,)
    channel.overwrites = [Overwrite(GUILD, deny=SEND | HISTORY)]
    assert not guild.permissions(APP, channel) & SEND
    channel.overwrites += [Overwrite(5, allow=SEND), Overwrite(APP, allow=HISTORY, member=True)]
    may = guild.permissions(APP, channel)
    assert may & (SEND | HISTORY | MANAGE_MESSAGES) == SEND | HISTORY | MANAGE_MESSAGES
    guild.roles[5].permissions = 1 << 3  # administrators may do everything
    assert guild.permissions(APP, channel) & MANAGE_THREADS


def form(*fields: dict[str, Any]) -> dict[str, Any]:
    labels = [{"type": 18, "label": "A field", "component": field} for field in fields]
    return {"custom_id": "form", "title": "A form", "components": labels}


def field(like: dict[str, Any], **changes: object) -> dict[str, Any]:
    return form(like | changes)


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (form(UPLOAD, RADIO, CHECKBOX), 200),
        (field(UPLOAD, required=False, min_values=0, max_values=10), 200),
        (field(UPLOAD, min_values=0), 400),
        (field(UPLOAD, max_values=11), 400),
        (field(UPLOAD, file_types=["picture"]), 400),
        (field(UPLOAD, file_types=[".a"] * 11), 400),
        (field(RADIO, options=RADIO["options"][:1]), 400),
        (field(RADIO, options=[{"label": str(one), "value": str(one)} for one in range(11)]), 400),
        (field(RADIO, file_types=["image"]), 400),
        (field(CHECKBOX, required=True), 400),
        (form(CHECKBOX, CHECKBOX), 400),
        (form(*(CHECKBOX | {"custom_id": str(one)} for one in range(6))), 400),
        (form(), 400),
        (form(CHECKBOX) | {"title": "A" * 46}, 400),
        ({"custom_id": "form", "title": "A form", "components": [CHECKBOX]}, 400),
    ],
)
async def test_a_form_follows_discords_rules(client: Client, shown: dict[str, Any], status: int) -> None:
    asked, _ = client.server.command(GUILD, MAYA, "help")
    assert (await client.answer(asked, FORM, shown)).status == status


async def test_a_bucket_is_of_one_channel_and_refused_requests_ban_the_address(client: Client) -> None:
    client.server.limits.limits = Limits({"send": Limit(1, 600.0)}, refused=2)
    assert (await client.ask("POST", MESSAGES, {"content": "words"})).status == 200
    refused = await client.ask("POST", MESSAGES, {"content": "words"})
    assert (refused.status, 0 < refused.body["retry_after"] <= 600) == (429, True)
    assert (await client.ask("POST", f"/channels/{OTHER}/messages", {"content": "words"})).status == 200
    for _ in range(2):
        await client.ask("GET", "/users/@me", token="wrong")
    banned = await client.ask("GET", "/users/@me")
    assert (banned.status, b"1015" in banned.body) == (429, True)


async def test_users_are_told_by_their_ids(client: Client) -> None:
    assert (await client.ask("GET", f"/users/{MAYA}")).body["id"] == str(MAYA)
    assert (await client.ask("GET", "/users/@me")).body["bot"]
