"""An admin who changes settings in the panels of `/studii`, and rules that are set without them."""

import re
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any

import discord
from simcord import InteractionResult, MemberActor, ResponseMessage
from sqlalchemy.orm import Session

from bot.catalog import Tool
from bot.features import photo_rules, styles
from bot.servers import access, settings
from bot.servers.access import EVERY_TOOL, AccessList
from bot.servers.settings import Permit
from bot.ui.reading.emoji import parse_emoji
from tests.support.desk import Desk, answer_of, pieces, texts


async def opened(desk: Desk, way: str, person: MemberActor | None = None) -> InteractionResult:
    """Open a panel: the command's name under `/studii`, and the pages after it."""
    person = person or desk.admin
    first, *pages = way.split()
    shown = await person.slash(desk.channel, f"studii {first}")
    for page in pages:
        if page.startswith("tool."):
            found = control(shown, "studii:limits:access")
            await person.select(answer_of(shown), [page.removeprefix("tool.")], custom_id=found)
        else:
            await person.click(answer_of(shown), custom_id=control(shown, f"studii:page:{page}:0"))
    return shown


async def add_style(desk: Desk, name: str, tool: str, **fields: Any) -> InteractionResult:
    """Add a style for the server in the form of `/styles`, and return the answer to it."""
    shown = await desk.admin.slash(desk.channel, "styles")
    form = await desk.admin.click(answer_of(shown), custom_id="studii:styles:add")
    return await desk.admin.submit_modal(form, {"name": name, "tool": [tool], **fields})


async def remove_style(desk: Desk, name: str) -> str:
    """Remove a style, and return what is said then."""
    shown = await desk.admin.slash(desk.channel, "styles", name=name)
    await desk.admin.click(answer_of(shown), custom_id=control(shown, "studii:style:remove"))
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
    if not any(re.match(rf"studii:\w+:{at}:{name}(?::|$)", one) for one in ids_in(shown)):
        await person.click(message, custom_id=control(shown, f"studii:page:{at}:1"))
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
    return next(one for one in ids_in(shown) if re.match(rf"{pattern}(?::|$)", one))


def ids_in(shown: InteractionResult | ResponseMessage | discord.Message) -> list[str]:
    return [str(one["custom_id"]) for one in pieces(shown) if "custom_id" in one]


async def pressed(desk: Desk, way: str, pattern: str, person: MemberActor | None = None) -> InteractionResult:
    """Open a panel, press the button whose custom id begins so, and return the answer."""
    person = person or desk.admin
    shown = await opened(desk, way, person)
    return await person.click(answer_of(shown), custom_id=control(shown, pattern))


async def usage(desk: Desk) -> InteractionResult:
    """Return where the credits of the last 30 days went, in place of the panel."""
    shown = await opened(desk, "credits")
    await desk.admin.click(answer_of(shown), custom_id=control(shown, "studii:usage:days_30"))
    return shown


async def export(desk: Desk) -> InteractionResult:
    """Return the whole ledger."""
    return await pressed(desk, "credits", "studii:ledger:ever")


def limit_tool(
    session: Session, guild_id: int, tool: Tool | None, *, role_id: int | None, channel_id: int | None
) -> None:
    """Let a role use the tool (every tool if None), or let it be used in a channel."""
    for which, one in ((AccessList.TOOL_ROLE, role_id), (AccessList.TOOL_CHANNEL, channel_id)):
        if one is not None:
            access.add(session, guild_id, which, one, EVERY_TOOL if tool is None else tool.slug)


def restrict(session: Session, guild_id: int, option: str, permit: Permit, roles: Collection[int]) -> None:
    """Set who may use the option: the people that `permit` names, and these roles."""
    settings.change(session, guild_id, **{f"{option}_for": permit})
    access.set_list(session, guild_id, AccessList(f"{option}_role"), roles)


Deed = Callable[[Desk, Mapping[str, Any]], Coroutine[Any, Any, object]]


def _reactions(*, on: bool) -> Deed:
    async def do(desk: Desk, options: Mapping[str, Any]) -> None:
        channel_id = options["channel"].id if "channel" in options else None
        await desk.resources.db.write(photo_rules.turn_reactions, desk.guild.id, channel_id, on=on)
        await desk.resources.photo_rules.reread(desk.guild.id)

    return do


async def _offer(desk: Desk, options: Mapping[str, Any]) -> None:
    channel_id, kind = options.get("channel", desk.channel).id, photo_rules.PhotoChannelKind.OFFER
    await desk.resources.db.write(photo_rules.set_channel, desk.guild.id, channel_id, kind)
    await desk.resources.photo_rules.reread(desk.guild.id)


async def _map(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    shown = await opened(desk, "photos")
    fields: dict[str, Any] = {"emoji": options["emoji"], "inputs": options.get("inputs", "")}
    if options.get("tool"):
        fields["tool"] = [options["tool"]]
    if options.get("style"):
        known = await desk.resources.db.read(styles.of, desk.guild.id, styles.OF_SERVER)
        fields["style"] = [one.id for one in known if one.name == options["style"]]
    await change(desk, "photos", "emoji", shown=shown, **fields)
    return shown


async def _auto(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    shown = await opened(desk, "photos")
    fields: dict[str, Any] = {
        "channel": [options.get("channel") or desk.channel],
        "tool": [options["tool"]],
        "inputs": options.get("inputs", ""),
        "most": str(options.get("most", 1)),
    }
    await change(desk, "photos", "autos", shown=shown, **fields)
    return shown


async def _remove_emoji(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    shown = await opened(desk, "photos")
    await change(desk, "photos", "emoji", parse_emoji(options["emoji"]).key, shown=shown)
    return shown


async def _budget(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    given = {one: options[one] for one in ("credits", "period") if one in options}
    shown = await desk.admin.slash(desk.channel, "studii budget", **given)
    if "confirm" in options:
        await change(desk, "credits", "confirm_above", value=str(options["confirm"]))
    return shown


async def _pause(desk: Desk, _options: Mapping[str, Any]) -> None:
    await change(desk, "setup", "paused")


# What an admin wants, and how they do it in the panels.
DEEDS: Mapping[str, Deed] = {
    "reactions on": _reactions(on=True),
    "reactions off": _reactions(on=False),
    "reactions map": _map,
    "reactions remove": _remove_emoji,
    "photos offer": _offer,
    "photos auto": _auto,
    "budget": _budget,
    "pause": _pause,
    "resume": _pause,
}


async def admin(desk: Desk, what: str, **options: Any) -> InteractionResult:
    """Let the admin do something in the panels, and return the answer or the panel as it is then."""
    done = await DEEDS[what](desk, options)
    if isinstance(done, InteractionResult):
        return done
    return await opened(desk, "photos")
