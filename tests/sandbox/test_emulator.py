"""The emulated Discord refuses what Discord refuses: the other tests believe it."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.discord.emulator.interactions import Interaction

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
