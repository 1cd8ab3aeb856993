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


async def usage(desk: Desk, span: str = "days_30") -> InteractionResult:
    """Return where the credits went in that period, in place of the panel."""
    shown = await opened(desk, "credits")
    await desk.admin.click(answer_of(shown), custom_id=control(shown, "studii:usage:days_30"))
    if span != "days_30":
        await desk.admin.select(answer_of(shown), [span], custom_id=control(shown, "studii:usage:shown"))
    return shown


async def export(desk: Desk, span: str = "ever") -> InteractionResult:
    """Return the ledger of that period."""
    if span == "ever":
        return await pressed(desk, "credits", "studii:ledger:ever")
    shown = await usage(desk, span)
    return await desk.admin.click(answer_of(shown), custom_id=control(shown, f"studii:ledger:{span}"))


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


def set_pause(session: Session, guild_id: int, refusals: int, hours: int | None = None) -> None:
    """Set after how many refusals by the word filter a member is paused, and for how long."""
    settings.change(session, guild_id, refusals=refusals, pause_hours=hours)


Deed = Callable[[Desk, Mapping[str, Any]], Coroutine[Any, Any, object]]


def _rules(work: Any, *given: Any) -> Deed:
    async def do(desk: Desk, options: Mapping[str, Any]) -> None:
        channel = options.get("channel")
        channel_id = channel.id if channel else None
        more = {"on": given[0]} if given and isinstance(given[0], bool) else {}
        if not more:
            channel_id = channel_id or desk.channel.id
        await desk.services.db.write(work, desk.guild.id, channel_id, *(() if more else given), **more)
        await desk.services.photo_rules.reread(desk.guild.id)

    return do


async def _map(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    shown = await opened(desk, "photos")
    fields: dict[str, Any] = {"emoji": options["emoji"], "inputs": options.get("inputs", "")}
    if options.get("tool"):
        fields["tool"] = [options["tool"]]
    if options.get("style"):
        known = await desk.services.db.read(styles.of, desk.guild.id, styles.OF_SERVER)
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


async def _allowance(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    shown = await opened(desk, "credits")
    amount = "" if options.get("no_limit") else str(options.get("credits", ""))
    for whose, name in (("role", "roles"), ("member", "own")):
        if (who := options.get(whose)) is None:
            continue
        if options.get("no_limit"):
            await change(desk, "credits", name, who, shown=shown)
        else:
            await change(desk, "credits", name, shown=shown, who=[who], credits=amount)
        return shown
    if "credits" in options or options.get("no_limit"):
        await change(desk, "credits", "default", shown=shown, value=amount)
    if "at_once" in options:
        await change(desk, "credits", "at_once", shown=shown, value=str(options["at_once"] or ""))
    if "starts" in options:
        minutes = str(options.get("minutes", 10))
        given: dict[str, Any] = {"starts": str(options["starts"] or ""), "minutes": minutes}
        await change(desk, "credits", "rate", shown=shown, **given)
    return shown


async def _budget(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    shown = await desk.admin.slash(
        desk.channel,
        "studii budget",
        **{one: options[one] for one in ("credits", "period") if one in options},
    )
    if "timezone" in options:
        await change(desk, "budget", "timezone", shown=shown, value=options["timezone"])
    if "confirm" in options:
        shown = await opened(desk, "credits")
        await change(desk, "credits", "confirm_above", shown=shown, value=str(options["confirm"] or ""))
    return shown


async def _log(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    shown = await opened(desk, "setup")
    if "channel" in options or options.get("off"):
        await change(desk, "setup", "log_channel", options.get("channel"), shown=shown)
    if options.get("results"):
        await change(desk, "setup", "log_results", shown=shown)
    return shown


def _button(way: str, name: str) -> Deed:
    async def do(desk: Desk, _options: Mapping[str, Any]) -> InteractionResult:
        shown = await opened(desk, way)
        await change(desk, way, name, shown=shown)
        return shown

    return do


def _press(pattern: str) -> Deed:
    async def do(desk: Desk, _options: Mapping[str, Any]) -> InteractionResult:
        return await pressed(desk, "setup", pattern)

    return do


def _show(way: str) -> Deed:
    async def do(desk: Desk, _options: Mapping[str, Any]) -> InteractionResult:
        return await opened(desk, way)

    return do


async def _photos_off(desk: Desk, options: Mapping[str, Any]) -> None:
    channel = options.get("channel") or desk.channel
    await desk.services.db.write(photo_rules.clear_channel, desk.guild.id, channel.id)
    await desk.services.photo_rules.reread(desk.guild.id)


async def _disclosure(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    shown = await opened(desk, "results")
    for option, name in (("line", "disclosure"), ("staging", "staging_label")):
        if option in options:
            value = "" if options[option].casefold() == "off" else options[option]
            await change(desk, "results", name, shown=shown, value=value)
    if "place" in options:
        await change(desk, "results", "staging_corner", options["place"], shown=shown)
    return shown


async def _language(desk: Desk, options: Mapping[str, Any]) -> InteractionResult:
    shown = await opened(desk, "setup")
    if "language" in options:
        await change(desk, "setup", "language", options["language"], shown=shown)
    return shown


# What an admin wants, and how they do it in the panels.
DEEDS: Mapping[str, Deed] = {
    "reactions on": _rules(photo_rules.turn_reactions, True),
    "reactions off": _rules(photo_rules.turn_reactions, False),
    "reactions map": _map,
    "reactions remove": _remove_emoji,
    "reactions show": _show("photos"),
    "photos show": _show("photos"),
    "photos offer": _rules(photo_rules.set_channel, photo_rules.PhotoChannelKind.OFFER),
    "photos auto": _auto,
    "photos off": _photos_off,
    "allowance": _allowance,
    "budget": _budget,
    "usage": lambda desk, options: usage(desk, options.get("period", "days_30")),
    "export": lambda desk, options: export(desk, options.get("period", "ever")),
    "log": _log,
    "pause": _button("setup", "paused"),
    "resume": _button("setup", "paused"),
    "metadata": _button("photos", "metadata"),
    "disclosure": _disclosure,
    "language": _language,
    "key": _press("studii:setup:key"),
    "forget-key": _press("studii:setup:ask"),
    "panel": _press("studii:setup:panel"),
}


async def admin(desk: Desk, what: str, **options: Any) -> InteractionResult:
    """Let the admin do something in the panels, and return the answer or the panel as it is then."""
    done = await DEEDS[what](desk, options)
    if isinstance(done, InteractionResult):
        return done
    return await opened(desk, "photos")
