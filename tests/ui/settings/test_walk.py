"""Every control of every panel of `/studii`, and of a member's own settings, is used once.

A member uses those of administration, too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from simcord import InteractionResult
from sqlalchemy import select

from bot.base import Base
from bot.ui.panels.controls import find
from bot.ui.reading.permissions import LET_IN
from tests.support.desk import KEY, Desk, answer_of, make_bot, pieces, texts
from tests.support.presses import hand_in, press

BUTTON, LIST, USERS, ROLES, CHANNELS, RADIO = 2, 3, 5, 6, 8, 21
REFUSAL, SHOWS_NO_FORM = "You need the Manage Server permission", "isn't in the message any more"
FIELDS = {
    "value": "2",
    "words": "blimp",
    "then": ["refuse"],
    "reason": "Spam",
    "hours": "2",
    "limit": "200",
    "period": ["week"],
    "credits": "5",
    "starts": "3",
    "minutes": "10",
    "tool": ["photo-restore"],
    "inputs": "",
    "most": "2",
    "emoji": "🪄",
    "key": KEY,
    "plan": ["team"],
}


def controls(shown: Any) -> Iterator[tuple[str, int]]:
    """Yield the custom ids of all controls of a panel that can be used, with their kinds."""
    for piece in pieces(shown):
        if "custom_id" in piece and not piece.get("disabled"):
            yield piece["custom_id"], piece["type"]


def ensure_shown(name: str, shown: Any) -> None:
    """Ensure that the panel is one that Discord takes, and that nothing went wrong."""
    every = list(pieces(shown))
    said = texts(shown)
    assert "went wrong" not in said, (name, said)
    assert len(every) <= 40, (name, len(every))
    assert sum(len(one["content"]) for one in every if one["type"] == 10) <= 4000, name
    named = [one["custom_id"] for one in every if "custom_id" in one]
    assert len(named) == len(set(named)), (name, named)


async def use(desk: Desk, shown: InteractionResult, custom_id: str, kind: int) -> None:
    """Use a control once: press it, choose something, or hand in its form."""
    message = shown.response
    assert message is not None
    if kind == BUTTON:
        answered = await desk.admin.click(message, custom_id=custom_id)
        if answered.modal is not None:
            member = {
                "member": [desk.tom],
                "who": [desk.guild.create_role("Regulars") if ":roles" in custom_id else desk.tom],
                "channel": [desk.channel],
                **({"value": "Europe/Berlin"} if "timezone" in custom_id else {}),
            }
            fields = {one["component"]["custom_id"]: one["component"] for one in answered.modal["components"]}
            known = {name: value for name, value in (FIELDS | member).items() if name in fields}
            await desk.env.settle()
            # Of a tool's inputs, the last value.
            radios = {
                name: one["options"][-1]["value"] for name, one in fields.items() if one["type"] == RADIO
            }
            answered = await desk.admin.submit_modal(answered, radios | known)
        ensure_shown(custom_id, answered)
        return
    (piece,) = (one for one in pieces(shown) if one.get("custom_id") == custom_id)
    chosen: Any = {
        # The same one each time, whatever has moved up in the list.
        LIST: sorted(one["value"] for one in piece.get("options", ()))[-1:],
        USERS: [desk.tom],
        ROLES: [desk.guild.create_role("Designers")],
        CHANNELS: [desk.channel],
    }[kind]
    await desk.env.settle()
    answered = await desk.admin.select(message, chosen, custom_id=custom_id)
    assert answered.response is None or answered.response.id == message.id, texts(answered)


async def every_row(desk: Desk) -> list[Any]:
    """Return everything that is in the database."""
    tables = Base.metadata.sorted_tables
    return await desk.db.read(lambda session: [session.execute(select(one)).all() for one in tables])


async def ensure_refused(desk: Desk, panels: Mapping[str, InteractionResult]) -> None:
    """Ensure that a member who uses a control of an admin's panel, or hands in its form, is refused alone."""
    before, shown = await every_row(desk), {one: list(pieces(panel)) for one, panel in panels.items()}
    for custom_id, panel in panels.items():
        pressed = await press(desk, desk.maya, answer_of(panel), custom_id)
        handed_in = await hand_in(desk, desk.maya, f"{custom_id}{LET_IN}")
        assert (pressed.ephemeral, handed_in.ephemeral) == (True, True), custom_id
        assert REFUSAL in texts(pressed), custom_id
        control = find(custom_id)
        assert (REFUSAL if control and control[0].forms else SHOWS_NO_FORM) in texts(handed_in), custom_id
        assert list(pieces(panel)) == shown[custom_id], custom_id
    assert await every_row(desk) == before


@pytest.mark.promise
async def test_each_control_of_each_panel_works_for_admins_and_refuses_others_alone(desk: Desk) -> None:
    seen, used, panels = set[str](), set[str](), dict[str, InteractionResult]()
    waiting: list[tuple[str, ...]] = [("settings",), ("studii budget",), ("studii setup",)]
    while waiting:
        way = waiting.pop()
        shown = await desk.admin.slash(desk.channel, way[0])
        for custom_id in way[1:]:
            # A switch on the way may be turned already.
            if kind := dict(controls(shown)).get(custom_id):
                await use(desk, shown, custom_id, kind)
                used.add(custom_id)
                ensure_shown(custom_id, shown)
        for custom_id, _kind in controls(shown):
            assert find(custom_id) is not None, custom_id
            seen.add(custom_id)
            if way[0] != "settings":
                panels[custom_id] = shown
            # One that a switch has hidden meanwhile comes again where the switch is turned back.
            if custom_id not in used.union(one[-1] for one in waiting):
                waiting.append((*way, custom_id))
    assert len(seen) > 60
    assert used == seen, seen - used
    await ensure_refused(desk, panels)
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    await ensure_refused(desk, panels)
