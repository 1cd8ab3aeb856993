"""The emulated Discord refuses forms and commands that Discord does not take."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from sandbox.discord.emulator.answers import FORM
from tests.sandbox.discord.emulator.client import APP, Client, emulated

GUILD, MAYA = 1 << 22, 300
UPLOAD: dict[str, Any] = {"type": 19, "custom_id": "photo", "file_types": ["image", ".HEIC"]}
RADIO: dict[str, Any] = {
    "type": 21,
    "custom_id": "style",
    "options": [{"label": one, "value": one} for one in "ab"],
}
CHECKBOX: dict[str, Any] = {"type": 23, "custom_id": "private"}


@pytest.fixture
async def client() -> AsyncGenerator[Client]:
    async with emulated(guilds=[GUILD], limits=None) as one:
        yield one


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


@pytest.mark.parametrize(
    ("option", "status"),
    [
        ({"type": 11, "file_types": ["image", ".heic"]}, 200),
        ({"type": 11, "file_types": ["heic"]}, 400),
        ({"type": 3, "file_types": ["image"]}, 400),
    ],
)
async def test_only_attachments_filter_files(client: Client, option: dict[str, Any], status: int) -> None:
    command = {"name": "studio", "options": [option | {"name": "image", "description": "A photo"}]}
    assert (await client.ask("PUT", f"/applications/{APP}/commands", [command])).status == status


async def test_people_can_choose_only_files_that_the_option_takes(client: Client) -> None:
    option = {"type": 11, "name": "image", "description": "A photo", "file_types": ["image", ".heic"]}
    await client.ask("PUT", f"/applications/{APP}/commands", [{"name": "studio", "options": [option]}])
    for name in ("room.JPG", "room.heic"):
        client.server.command(GUILD, MAYA, "studio", {"image": {"filename": name}})
    with pytest.raises(ValueError, match="notes"):
        client.server.command(GUILD, MAYA, "studio", {"image": {"filename": "notes.txt"}})
