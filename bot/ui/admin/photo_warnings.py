"""Say what keeps reactions and photo channels from working, or from being off, in a line for each channel."""

from collections.abc import Iterator, Sequence
from typing import Any

import discord

from bot.features.photo_rules import PhotoChannel, PhotoChannelKind, PhotoRules, Tap
from bot.languages import and_list, gettext as _, lazy, ngettext
from bot.servers import access
from bot.servers.access import AccessRules, open_in
from bot.services import Services
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import lines
from bot.ui.reading.member import channel_ids_of
from bot.ui.reading.permissions import channel_in, hindrance, missing_to_offer, missing_to_post

MAX_WARNINGS = 5
_NOT_RUN = lazy("Nothing will run in {channel}: `/studii moderation` doesn't allow {tools} there.")
_NOT_OFFERED = lazy("I can't offer these tools in {channel}, because of `/studii moderation`: {tools}")


async def photo_trouble(
    services: Services, guild: discord.Guild | None, guild_id: int, names: ToolNames
) -> str:
    """Return what keeps reactions and photo channels from working, a line for each channel."""
    rules = services.photo_rules.rules(guild_id)
    allowed = await services.db.read(access.of, guild_id, services.clock.now())
    shut = shut_words(guild, rules, services.photo_rules.taps(guild_id), allowed, names)
    return lines(lacking_words(guild, rules), shut)


def lacking_words(guild: discord.Guild | None, rules: PhotoRules) -> str:
    """Return a line for each channel in which the bot lacks permissions; empty if there is none."""
    if guild is None:
        return ""
    said = [
        "⚠️ " + _("Nothing will run in {channel}: {why}", channel=f"<#{channel_id}>", why=hindrance(missing))
        for channel_id, missing in _lacking(guild, rules)
        if missing
    ]
    return _some(said)


def shut_words(
    guild: discord.Guild | None,
    rules: PhotoRules,
    taps: Sequence[Tap],
    allowed: AccessRules,
    names: ToolNames,
) -> str:
    """Return a line for each photo channel whose tools the server's rules of access exclude."""
    if guild is None:
        return ""
    found: list[str] = []
    for channel in rules.channels.values():
        channels = channel_ids_of(guild.get_channel_or_thread(channel.channel_id))
        shut = [
            tool for tool in _tools_of(channel, taps) if channels and not open_in(allowed, tool, channels)
        ]
        if shut:
            found.append(_shut(channel, and_list([f"**{names.title(tool)}**" for tool in shut])))
    return _some(found)


def still_on(rules: PhotoRules, channel: object) -> str:
    """Return why taps still count in a channel that they were turned off for; empty if they don't."""
    if rules.everywhere:
        return "⚠️ " + _(
            "Reactions are on in the whole server, so here too. To turn them off, leave out `channel`."
        )
    if isinstance(channel, discord.Thread) and channel.parent_id in rules.reaction_channels:
        return "⚠️ " + _(
            "Reactions are on in {channel}, so in its threads too. Turn them off there.",
            channel=f"<#{channel.parent_id}>",
        )
    return ""


def still_served(rules: PhotoRules, channel: object) -> str:
    """Return why photos are served in a thread that has no setting of its own; empty if they aren't."""
    if isinstance(channel, discord.Thread) and channel.parent_id in rules.channels:
        return "⚠️ " + _(
            "{channel} is a photo channel, so its threads are too. Use `/studii photos off` there.",
            channel=f"<#{channel.parent_id}>",
        )
    return ""


def _tools_of(channel: PhotoChannel, taps: Sequence[Tap]) -> list[str]:
    presets = [tap.preset for tap in taps] if channel.preset is None else [channel.preset]
    return list(dict.fromkeys(preset.tool for preset in presets))


def _shut(channel: PhotoChannel, tools: str) -> str:
    said = _NOT_RUN if channel.kind is PhotoChannelKind.AUTO else _NOT_OFFERED
    return f"⚠️ {said.using(channel=f'<#{channel.channel_id}>', tools=tools)}"


def _some(found: list[str]) -> str:
    left = len(found) - MAX_WARNINGS
    # Translators: more channels
    more = ngettext("The same applies to {count} more.", "The same applies to {count} more.", left)
    return lines(*found[:MAX_WARNINGS], f"⚠️ {more}" if left > 0 else "")


def _lacking(guild: discord.Guild, rules: PhotoRules) -> Iterator[tuple[int, list[str]]]:
    named = {*rules.channels, *rules.reaction_channels}
    for channel_id in sorted(named):
        channel = channel_in(guild, channel_id)
        if channel is None:
            continue  # deleted, or an archived thread: nobody posts there now
        offers = channel_id in rules.channels and rules.channels[channel_id].kind is PhotoChannelKind.OFFER
        yield channel_id, _missing(guild, channel, offers=offers)
    if rules.everywhere:
        for channel in (*guild.text_channels, *guild.forums, *guild.voice_channels, *guild.stage_channels):
            # A channel that the bot can't even see is not meant for it.
            if channel.id not in named and channel.permissions_for(guild.me).view_channel:
                yield channel.id, _missing(guild, channel, offers=False)


def _missing(guild: discord.Guild, channel: Any, *, offers: bool) -> list[str]:
    may = channel.permissions_for(guild.me)
    return [*missing_to_post(may, channel), *(missing_to_offer(may) if offers else ())]
