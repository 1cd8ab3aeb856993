"""The emulated Discord refuses what Discord refuses: the other tests believe it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from sandbox.discord.emulator import TOKEN, DiscordServer

GUILD, MAYA = 1 << 22, 300
MESSAGES = f"/channels/{GUILD}/messages"
FORM, V2, INVALID = 9, 1 << 15, 50035
TEXT = {"type": 10, "content": "words"}
UPLOAD: dict[str, Any] = {"type": 19, "custom_id": "photo", "file_types": ["image", ".HEIC"]}
RADIO: dict[str, Any] = {
    "type": 21,
    "custom_id": "style",
    "options": [{"label": one, "value": one} for one in "ab"],
}
CHECKBOX: dict[str, Any] = {"type": 23, "custom_id": "private"}


@dataclass
class Client:
    """Speaks to the emulator without discord.py, so that each answer is seen as it comes."""

    server: DiscordServer
    session: aiohttp.ClientSession

    async def refusal_of(self, path: str, body: dict[str, Any]) -> Any:
        """Post that, and return the code with which it is refused, or None."""
        headers = {"Authorization": f"Bot {TOKEN}"}
        async with self.session.post(f"{self.server.api}{path}", headers=headers, json=body) as response:
            return None if response.status == 200 else (await response.json())["code"]


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with (
        DiscordServer(guilds=[GUILD], limits=None) as server,
        aiohttp.ClientSession() as session,
    ):
        yield Client(server, session)


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
    assert await client.refusal_of(MESSAGES, payload | {"flags": V2}) == INVALID
    assert not client.server.messages


def form(*fields: dict[str, Any]) -> dict[str, Any]:
    labels = [{"type": 18, "label": "A field", "component": field} for field in fields]
    return {"custom_id": "form", "title": "A form", "components": labels}


def field(like: dict[str, Any], **changes: object) -> dict[str, Any]:
    return form(like | changes)


@pytest.mark.parametrize(
    ("shown", "refusal"),
    [
        (form(UPLOAD, RADIO, CHECKBOX), None),
        (field(UPLOAD, required=False, min_values=0, max_values=10), None),
        (field(UPLOAD, min_values=0), INVALID),
        (field(UPLOAD, max_values=11), INVALID),
        (field(UPLOAD, file_types=["picture"]), INVALID),
        (field(UPLOAD, file_types=[".a"] * 11), INVALID),
        (field(RADIO, options=RADIO["options"][:1]), INVALID),
        (field(RADIO, options=[{"label": str(one), "value": str(one)} for one in range(11)]), INVALID),
        (field(RADIO, file_types=["image"]), INVALID),
        (field(CHECKBOX, required=True), INVALID),
        (form(CHECKBOX, CHECKBOX), INVALID),
        (form(*(CHECKBOX | {"custom_id": str(one)} for one in range(6))), INVALID),
        (form(), INVALID),
        (form(CHECKBOX) | {"title": "A" * 46}, INVALID),
        ({"custom_id": "form", "title": "A form", "components": [CHECKBOX]}, INVALID),
    ],
)
async def test_a_form_follows_discords_rules(
    client: Client, shown: dict[str, Any], refusal: int | None
) -> None:
    asked, _ = client.server.command(GUILD, MAYA, "help")
    path = f"/interactions/{asked.id}/{asked.token}/callback"
    assert await client.refusal_of(path, {"type": FORM, "data": shown}) == refusal
