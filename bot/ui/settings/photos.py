"""`/studii photos`: which emoji run which tools where, channels that offer or run tools, and whose photos."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.catalog import Catalog, SourceRule
from bot.errors import Refused
from bot.features import photo_rules, styles
from bot.features.photo_rules import (
    MAX_OFFERED_EMOJI,
    MAX_PHOTOS_AT_ONCE,
    WHOLE_SERVER,
    PhotoChannel,
    PhotoChannelKind,
    PhotoRules,
    Preset,
    Tap,
    preset_for,
    taps_of,
)
from bot.features.styles import MAX_STYLE_NAME_CHARACTERS, Style
from bot.jobs.decide import why_closed
from bot.languages import Message, Worded, and_list, gettext as _, lazy, ngettext, plazy, sentences
from bot.servers import access, settings
from bot.servers.access import AccessRules, open_in
from bot.ui.jobs.forms import MAX_INPUTS_CHARACTERS, inputs_from
from bot.ui.kit.answers import DISCORD_ERRORS, host_of
from bot.ui.kit.forms import labelled
from bot.ui.kit.layout import NEUTRAL, UNSURE, fitting, lines, more_words, plain, shortened, some
from bot.ui.panels.settings import (
    MAX_CHOSEN,
    MAX_LABEL_CHARACTERS,
    Also,
    Items,
    Now,
    OneOf,
    Pick,
    Scope,
    Setting,
    Topic,
    YesNo,
    number_in,
)
from bot.ui.reading.emoji import parse_emoji
from bot.ui.reading.permissions import (
    channel_ids_of,
    channel_in,
    hindrance,
    missing_to_offer,
    missing_to_post,
)
from bot.ui.reading.pictures import LOOKUP_TIMEOUT

INTENT_OFF = lazy(
    "Reactions and photo channels are off, because Discord doesn't show me other people's "
    "photos. The bot's operator can turn on **Message Content Intent** "
    "(discord.com/developers/applications, Bot, Privileged Gateway Intents), set "
    "`MESSAGE_CONTENT` to `auto`, and restart the bot. Everything else works without it."
)
MAX_WARNINGS = 5
_NOT_RUN = lazy("Nothing will run in {channel}: `/studii moderation` doesn't allow {tools} there.")
_NOT_OFFERED = lazy("I can't offer these tools in {channel}, because of `/studii moderation`: {tools}")


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
    catalog: Catalog,
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
            found.append(_shut(channel, and_list([f"**{catalog.title(tool)}**" for tool in shut])))
    return _some(found)


def preset_words(preset: Preset, catalog: Catalog) -> str:
    """Return the preset's tool, and its inputs if it has any."""
    tool = catalog.tools.get(preset.tool)
    title = tool.title if tool else plain(preset.tool, 40)
    named = [tool.named_value(*one) if tool else one for one in preset.inputs.items()]
    inputs = " · ".join(f"{name} {plain(value, 40)}" for name, value in named)
    return f"**{title}**" + (f" ({inputs})" if inputs else "")


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


def _lacking(guild: discord.Guild, rules: PhotoRules) -> Iterator[tuple[int, list[Message]]]:
    named = {*rules.channels, *rules.reaction_places} - {WHOLE_SERVER}
    for channel_id in sorted(named):
        channel = channel_in(guild, channel_id)
        if channel is None:
            continue  # deleted, or an archived thread: no one posts there now
        offers = channel_id in rules.channels and rules.channels[channel_id].kind is PhotoChannelKind.OFFER
        yield channel_id, _missing(guild, channel, offers=offers)
    if WHOLE_SERVER in rules.reaction_places:
        for channel in (*guild.text_channels, *guild.forums, *guild.voice_channels, *guild.stage_channels):
            # A channel that the bot can't even see is not meant for it.
            if channel.id not in named and channel.permissions_for(guild.me).view_channel:
                yield channel.id, _missing(guild, channel, offers=False)


def _missing(guild: discord.Guild, channel: Any, *, offers: bool) -> list[Message]:
    may = channel.permissions_for(guild.me)
    return [*missing_to_post(may, channel), *(missing_to_offer(may) if offers else ())]


MAX_LISTED_CHARACTERS = 1000  # of a list, of the 4,000 of a message
WHOSE = {
    settings.PhotoScope.ANYONE: lazy("anyone's photos"),
    settings.PhotoScope.OWN: lazy("your own photos only"),
}
EMOJI_STAY = lazy(
    "My emoji stay under earlier photos, but tapping them does nothing unless reactions are on."
)
PHOTO_CHANNELS = [
    discord.ChannelType.text,
    discord.ChannelType.forum,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
    discord.ChannelType.public_thread,
    discord.ChannelType.private_thread,
]


@dataclass(frozen=True, slots=True)
class PhotosRow:
    """Everything that the panel shows."""

    rules: PhotoRules
    taps: Mapping[str, Tap]
    styles: Sequence[Style]
    access: AccessRules
    closed: Message | None

    def channels(self, kind: PhotoChannelKind) -> dict[int, PhotoChannel]:
        return {one: its for one, its in sorted(self.rules.channels.items()) if its.kind is kind}


def load(session: Any, scope: Scope) -> PhotosRow:
    rules = photo_rules.of(session, scope.guild_id)
    return PhotosRow(
        rules,
        taps_of(scope.catalog, rules),
        styles.of(session, scope.guild_id, styles.OF_SERVER),
        access.of(session, scope.guild_id),
        why_closed(settings.of(session, scope.guild_id)) if rules.are_on else None,
    )


def _channel_list(**more: Any) -> Any:
    return ui.ChannelSelect[Any](channel_types=PHOTO_CHANNELS, **more)


def _set_reactions(session: Any, scope: Scope, chosen: Collection[int]) -> None:
    before = photo_rules.of(session, scope.guild_id).reaction_places - {WHOLE_SERVER}
    # Off first: their number has a limit.
    for one in sorted(before ^ set(chosen), key=lambda one: one in chosen):
        photo_rules.turn_reactions(session, scope.guild_id, one, on=one in chosen)


def _set_offers(session: Any, scope: Scope, chosen: Collection[int]) -> Also | None:
    before = load(session, scope).channels(PhotoChannelKind.OFFER).keys()
    for one in sorted(before - set(chosen)):
        photo_rules.clear_channel(session, scope.guild_id, one)
    for one in sorted(set(chosen) - before):
        photo_rules.set_channel(session, scope.guild_id, one, PhotoChannelKind.OFFER)
    return Also(EMOJI_STAY) if before - set(chosen) else None


# Channels that run a tool


def _tool_options(catalog: Catalog) -> list[discord.SelectOption]:
    tools = [tool for tool in catalog.tools.values() if tool.source is not SourceRule.NONE]
    return [discord.SelectOption(label=tool.title, value=tool.slug, emoji=tool.emoji) for tool in tools]


def _inputs_field() -> ui.Item[Any]:
    typed = ui.TextInput[Any](custom_id="inputs", required=False, max_length=MAX_INPUTS_CHARACTERS)
    return labelled(lazy("Inputs"), typed, lazy("Set in advance, such as: style=farmhouse, room=bedroom"))


def _auto_fields(now: Now, _value: Any) -> list[ui.Item[Any]]:
    options = _tool_options(now.catalog)[:MAX_CHOSEN]
    return [
        labelled(lazy("Channel"), _channel_list(custom_id="channel")),
        labelled(lazy("Tool"), ui.Select(custom_id="tool", options=options)),
        _inputs_field(),
        labelled(
            lazy("Photos of a message"),
            ui.TextInput(custom_id="most", default="1", max_length=2),
            lazy("How many photos of a message to run"),
        ),
    ]


def _add_auto(session: Any, scope: Scope, values: Mapping[str, Any]) -> None:
    most = number_in(values["most"], 1, MAX_PHOTOS_AT_ONCE)
    preset = preset_for(scope.catalog, values["tool"][0], inputs_from(values["inputs"]))
    channel_id = int(values["channel"][0])
    photo_rules.set_channel(session, scope.guild_id, channel_id, PhotoChannelKind.AUTO, preset, most)


def _auto(now: Now, channel: PhotoChannel) -> str:
    return ngettext(
        "{channel}: runs {tool}, one photo per message",
        "{channel}: runs {tool}, up to {count} photos per message",
        channel.most,
        channel=f"<#{channel.channel_id}>",
        tool=preset_words(channel.preset or Preset(""), now.catalog),
    )


def _autos(now: Now) -> str:
    listed = [_auto(now, one) for one in now.row.channels(PhotoChannelKind.AUTO).values()]
    head = (
        _("**Run a tool on each photo** in these channels automatically:")
        if listed
        else _("**Run a tool on each photo** in a channel automatically: off")
    )
    return lines(head, *fitting(listed, MAX_LISTED_CHARACTERS, more_words))


def _channel_name(now: Now, channel_id: str, _item: Any) -> str:
    channel = now.guild and now.guild.get_channel_or_thread(int(channel_id))
    return shortened(f"#{channel.name}", MAX_LABEL_CHARACTERS) if channel else channel_id


# Emoji


def _emoji_fields(now: Now, _value: Any) -> list[ui.Item[Any]]:
    known: Sequence[Style] = now.row.styles
    options = _tool_options(now.catalog)[:MAX_CHOSEN]
    tools = ui.Select[Any](custom_id="tool", required=not known, options=options)
    fields = [
        labelled(
            lazy("Emoji"),
            ui.TextInput(custom_id="emoji", max_length=60),
            lazy("One emoji, also one of this server's own"),
        ),
        labelled(lazy("Tool"), tools),
        _inputs_field(),
    ]
    if known:
        options = [
            discord.SelectOption(label=shortened(one.name, 100), value=one.id) for one in known[:MAX_CHOSEN]
        ]
        chosen = ui.Select[Any](custom_id="style", required=False, options=options)
        fields.append(
            labelled(lazy("Style"), chosen, lazy("This server's style, in place of a tool and inputs"))
        )
    return fields


def _map_emoji(session: Any, scope: Scope, values: Mapping[str, Any]) -> None:
    tool, style = (next(iter(values.get(name) or ()), None) for name in ("tool", "style"))
    inputs, emoji = inputs_from(values["inputs"]), parse_emoji(values["emoji"])
    if (tool is None) == (style is None) or (style is not None and inputs):
        raise Refused(lazy("Choose either a tool, with its inputs, or a style. Nothing was changed."))
    if style is not None:
        of_server = {one.id: one for one in styles.of(session, scope.guild_id, styles.OF_SERVER)}
        if style not in of_server:
            raise Refused(styles.STYLE_GONE)
        preset = styles.preset_of(scope.catalog, of_server[style])
    else:
        preset = preset_for(scope.catalog, str(tool), inputs)
    photo_rules.map_emoji(session, scope.catalog, scope.guild_id, emoji, preset)


def _unmap_emoji(session: Any, scope: Scope, key: str) -> None:
    tap = load(session, scope).taps.get(key)
    if tap is None:
        raise Refused(photo_rules.RUNS_NOTHING)
    photo_rules.map_emoji(session, scope.catalog, scope.guild_id, tap.emoji, None)


def _tap(now: Now, tap: Tap) -> str:
    name = next((one.name for one in now.row.styles if one.id == tap.preset.style_id), None)
    tool = preset_words(tap.preset, now.catalog)
    if name is None:
        return f"{tap.emoji} {tool}"
    style = plain(name, MAX_STYLE_NAME_CHARACTERS)
    return f"{tap.emoji} {_('the style **“{style}”**: {tool}', style=style, tool=tool)}"


def _taps(now: Now) -> str:
    taps = list(now.row.taps.values())
    more = len(taps) - MAX_OFFERED_EMOJI
    offered = ""
    if more > 0:
        # Translators: most is a number of emoji
        first = _("The first {most} appear under a photo.", most=MAX_OFFERED_EMOJI)
        also = ngettext("Members can also tap {count} more.", "Members can also tap {count} more.", more)
        offered = sentences(first, also)
    listed = fitting([_tap(now, one) for one in taps], MAX_LISTED_CHARACTERS, more_words)
    return lines(f"**{_('Emoji')}**", *listed, offered)


# The panel


def _about(now: Now) -> Iterable[Worded]:
    row: PhotosRow = now.row
    yield "" if now.interaction.client.intents.message_content else INTENT_OFF
    yield "" if row.closed is None else f"⚠️ {row.closed}"
    yield lacking_words(now.guild, row.rules)
    yield shut_words(now.guild, row.rules, list(row.taps.values()), row.access, now.catalog)
    yield now.seen


def _whose(name: str, title: Worded, about: Worded) -> Setting:
    kind = OneOf(lambda _catalog: {one.value: words for one, words in WHOSE.items()})
    return Setting(name, title, kind, about, read=lambda row: getattr(row.access.settings, name).value)


async def _missing_emoji(interaction: discord.Interaction[Any], row: PhotosRow) -> str:
    """Return a line that names the emoji that the server does not have; empty if there are none or unknown.

    Needs a request if any of them is a server's own. The gateway would send them with one more intent.
    """
    guild, custom = interaction.guild, [tap.emoji for tap in row.taps.values() if tap.emoji.id]
    if guild is None or not custom:
        return ""
    try:
        async with asyncio.timeout(LOOKUP_TIMEOUT):
            there = {one.id for one in await guild.fetch_emojis()}
    except DISCORD_ERRORS:
        return ""
    missing = [f"`:{one.name}:`" for one in custom if one.id not in there]
    if not missing:
        return ""
    return "⚠️ " + sentences(
        _("Not your server's own emoji: {emoji}.", emoji=some(missing, MAX_WARNINGS)),
        _(
            "If they were deleted, members can't tap them any more. If they belong to another server, "
            "I can only put them under photos if I'm there too and have **{permission}** here.",
            permission=plazy("Discord permission", "Use External Emoji"),
        ),
    )


async def _after(interaction: discord.Interaction[Any], row: PhotosRow) -> None:
    await host_of(interaction).resources.photo_rules.reread(row.rules.guild_id)


def _metadata_words(now: Now) -> str:
    if now.row.access.settings.keeps_metadata:
        return _(
            "JPEG, PNG and WebP photos go to Studii, and appear beside results, with everything in the "
            "file, such as place and camera. Photos of other kinds are converted and lose their metadata."
        )
    return _(
        "Location, camera, serial numbers, comments, previews and "
        "attached videos are removed before a photo goes to Studii or appears beside a result. "
        "The picture, its orientation, its color profile and AI labels stay."
    )


PHOTOS = Topic(
    "photos",
    "🖼️",
    lazy("Photos"),
    load,
    [
        Setting(
            "everywhere",
            lazy("Reactions in the whole server"),
            YesNo(),
            lazy("Members run tools by tapping an emoji under a photo"),
            read=lambda row: WHOLE_SERVER in row.rules.reaction_places,
            write=lambda session, scope, on: photo_rules.turn_reactions(
                session, scope.guild_id, WHOLE_SERVER, on=on
            ),
        ),
        Setting(
            "reactions",
            lazy("Reactions only in these channels"),
            Pick("<#{}>", _channel_list, lazy("none"), several=True),
            read=lambda row: sorted(row.rules.reaction_places - {WHOLE_SERVER}),
            write=_set_reactions,
        ),
        Setting(
            "offers",
            lazy("Put emoji under each photo in these channels"),
            Pick("<#{}>", _channel_list, lazy("none"), several=True),
            lazy("These emoji always work, also where reactions are off"),
            read=lambda row: sorted(row.channels(PhotoChannelKind.OFFER)),
            write=_set_offers,
        ),
        Setting(
            "autos",
            lazy("Run a tool on each photo"),
            Items(
                _auto_fields,
                _add_auto,
                lambda session, scope, one: photo_rules.clear_channel(session, scope.guild_id, int(one)),
                lambda catalog, channel_id, item: (
                    f"<#{channel_id}> · {preset_words(Preset(*item[:2]), catalog)}"
                ),
                _channel_name,
            ),
            read=lambda row: {
                str(one): [its.tool, dict(its.inputs), its.most]
                for one, its in row.channels(PhotoChannelKind.AUTO).items()
            },
            line=_autos,
        ),
        Setting(
            "emoji",
            lazy("Emoji"),
            Items(
                _emoji_fields,
                _map_emoji,
                _unmap_emoji,
                lambda catalog, _key, item: f"{item[0]} {preset_words(Preset(*item[1:3]), catalog)}",
                lambda now, _key, item: f"{item[0]} {now.catalog.title(item[1])}",
            ),
            read=lambda row: {
                key: [str(tap.emoji), tap.preset.tool, dict(tap.preset.inputs), tap.preset.style_id]
                for key, tap in row.taps.items()
            },
            line=_taps,
        ),
        _whose(
            "photos",
            lazy("Photos"),
            lazy("Whose photos members can use. Moderators can always use anyone's."),
        ),
        _whose(
            "portraits",
            lazy("Portraits"),
            lazy("The same for tools that change a person."),
        ),
        Setting(
            "metadata",
            lazy("Remove photo metadata"),
            YesNo(),
            _metadata_words,
            read=lambda row: not row.access.settings.keeps_metadata,
            write=lambda session, scope, on: settings.change(session, scope.guild_id, keeps_metadata=not on),
        ),
    ],
    lambda session, scope, name, value: settings.change(
        session, scope.guild_id, **{name: settings.PhotoScope(value)}
    ),
    about=_about,
    notes=lambda _now: (
        lazy(
            "Each tap uses the allowance of the member who taps. Removing your reaction cancels a job still "
            "in the queue."
        ),
        lazy("Auto runs use the poster's allowance; all limits apply. Bots and webhooks are ignored."),
        lazy("Each member's own privacy setting always applies."),
    ),
    colour=lambda now: NEUTRAL if now.interaction.client.intents.message_content else UNSURE,
    look=_missing_emoji,
    back="setup",
    after=_after,
)
