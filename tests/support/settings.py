"""An admin who changes settings in the panels of `/studii`, and rules that are set without them."""

import re
from collections.abc import Collection
from typing import Any

import discord
from simcord import InteractionResult, MemberActor, ResponseMessage
from sqlalchemy.orm import Session

from bot.catalog import Tool
from bot.servers import access
from bot.servers.access import EVERY_TOOL, AccessList, Permit
from tests.support.desk import Desk, pieces, texts


async def opened(desk: Desk, way: str, person: MemberActor | None = None) -> InteractionResult:
    """Open a panel: the command's name under `/studii`, and the pages after it."""
    person = person or desk.admin
    first, *pages = way.split()
    shown = await person.slash(desk.channel, f"studii {first}")
    for page in pages:
        assert shown.response is not None
        if page.startswith("tool."):
            found = control(shown, "studii:limits:access")
            await person.select(shown.response, [page.removeprefix("tool.")], custom_id=found)
        else:
            await person.click(shown.response, custom_id=control(shown, f"studii:page:{page}:0"))
    return shown


async def add_style(desk: Desk, name: str, tool: str, **fields: Any) -> InteractionResult:
    """Add a style for the server in the form of `/styles`, and return the answer to it."""
    shown = await desk.admin.slash(desk.channel, "styles")
    assert shown.response is not None
    form = await desk.admin.click(shown.response, custom_id="studii:styles:add")
    return await desk.admin.submit_modal(form, {"name": name, "tool": [tool], **fields})


async def remove_style(desk: Desk, name: str) -> str:
    """Remove a style, and return what is said then."""
    shown = await desk.admin.slash(desk.channel, "styles", name=name)
    assert shown.response is not None
    await desk.admin.click(shown.response, custom_id=control(shown, "studii:style:remove"))
    return texts(shown)


async def change(
    desk: Desk,
    way: str,
    name: str,
    *values: Any,
    shown: InteractionResult | None = None,
    person: MemberActor | None = None,
    **fields: Any,
) -> str:
    """Change a setting, and return what the panel says then.

    Its form is handed in with `fields`, or `values` are chosen from its list. Without either, its button is
    pressed; one value that is None chooses nothing.
    """
    person = person or desk.admin
    shown = shown or await opened(desk, way, person)
    message = shown.response
    assert message is not None
    at = re.escape(way.split()[-1])
    if fields:
        custom_id = control(shown, f"studii:fill:{at}:{name}")
        form = await person.click(message, custom_id=custom_id)
        await person.submit_modal(form, fields)
    elif values:
        chosen = [one for one in values if one is not None]
        await person.select(message, chosen, custom_id=control(shown, f"studii:(?:pick|drop):{at}:{name}"))
    else:
        await person.click(message, custom_id=control(shown, f"studii:put:{at}:{name}"))
    return texts(shown)


def control(shown: InteractionResult | ResponseMessage | discord.Message, pattern: str) -> str:
    """Return the custom id of the control that begins so."""
    ids = [str(one["custom_id"]) for one in pieces(shown) if "custom_id" in one]
    return next(one for one in ids if re.match(rf"{pattern}(?::|$)", one))


def limit_tool(
    session: Session, guild_id: int, tool: Tool | None, *, role_id: int | None, channel_id: int | None
) -> None:
    """Let a role use the tool (every tool if None), or let it be used in a channel."""
    for which, one in ((AccessList.TOOL_ROLE, role_id), (AccessList.TOOL_CHANNEL, channel_id)):
        if one is not None:
            access.add(session, guild_id, which, one, EVERY_TOOL if tool is None else tool.slug)


def restrict(session: Session, guild_id: int, option: str, permit: Permit, roles: Collection[int]) -> None:
    """Set who may use the option: the people that `permit` names, and these roles."""
    access.change(session, guild_id, **{f"{option}_for": permit})
    access.set_list(session, guild_id, AccessList(f"{option}_role"), roles)


def set_pause(session: Session, guild_id: int, refusals: int, hours: int | None = None) -> None:
    """Set after how many refusals by the word filter a member is paused, and for how long."""
    access.change(session, guild_id, refusals=refusals, pause_hours=hours)
