"""The panels of `/studii reactions`, `photos` and `metadata`."""

from collections.abc import Mapping, Sequence

from bot.catalog import Catalog
from bot.features.photo_rules import (
    MAX_OFFERED_EMOJI,
    PhotoChannel,
    PhotoChannelKind,
    PhotoRules,
    Preset,
    Tap,
)
from bot.features.styles import MAX_STYLE_NAME_CHARACTERS
from bot.languages import and_list, gettext as _, lazy, ngettext, sentences
from bot.ui.kit.layout import GOOD, NEUTRAL, UNSURE, Panel, boxed, fitting, lines, rule, small
from bot.ui.kit.text import plain

INTENT_OFF = lazy(
    "Reactions and photo channels are off, because Discord doesn't show me other people's "
    "photos. The bot's operator can turn on **Message Content Intent** "
    "(discord.com/developers/applications, Bot, Privileged Gateway Intents), set "
    "`MESSAGE_CONTENT` to `auto`, and restart the bot. Everything else works without it."
)
MAX_LISTED_LINES = 25
MAX_LIST_CHARACTERS = 2000  # for what is listed, of the 4,000 of a message


def reactions_panel(
    title: str,
    rules: PhotoRules,
    taps: Sequence[Tap],
    catalog: Catalog,
    styles: Mapping[str, str],
    *,
    sees_photos: bool,
    in_the_way: str,
) -> Panel:
    """Return where reactions are on, which tool each emoji runs, and what keeps them from working.

    `styles` are the names of the styles that emoji run, by id.
    """
    state = _state_words(rules)
    each_tap = _(
        "Each tap uses the allowance of the member who taps. Removing your reaction cancels a job still in "
        "the queue."
    )
    known = [f"{tap.emoji} {_tap_words(tap.preset, catalog, styles)}" for tap in taps]
    return boxed(
        NEUTRAL if sees_photos else UNSURE,
        f"### 👆 {title}\n{state}" if sees_photos else f"### 👆 {title}\n{INTENT_OFF}",
        lines(state if not sees_photos else "", *_bounded(known, MAX_LIST_CHARACTERS)),
        in_the_way,
        rule(),
        small(each_tap),
    )


def _state_words(rules: PhotoRules) -> str:
    if rules.everywhere:
        return _("Reactions are **on** in the whole server.")
    if rules.reaction_channels:
        state = _("Reactions are **on** in {channels}.", channels=_channels(sorted(rules.reaction_channels)))
    else:
        state = _(
            "Reactions are **off**. `/studii reactions on` turns them on in the server or in a channel."
        )
    offers = [one.channel_id for one in rules.channels.values() if one.kind is PhotoChannelKind.OFFER]
    if not offers:
        return state
    always = _(
        "The emoji under photos in {channels} always work (`/studii photos`).", channels=_channels(offers)
    )
    return lines(state, always)


def _channels(ids: Sequence[int]) -> str:
    return and_list([f"<#{one}>" for one in ids[:MAX_LISTED_LINES]])


def photos_panel(
    title: str,
    rules: PhotoRules,
    taps: Sequence[Tap],
    catalog: Catalog,
    *,
    sees_photos: bool,
    in_the_way: str,
) -> Panel:
    """Return the photo channels, what happens in each, and what keeps it from happening."""
    shown = [_channel_words(channel, catalog) for channel in rules.channels.values()]
    offers = any(channel.kind is PhotoChannelKind.OFFER for channel in rules.channels.values())
    offered = [f"{tap.emoji} {_preset_words(tap.preset, catalog)}" for tap in taps[:MAX_OFFERED_EMOJI]]
    if len(taps) > MAX_OFFERED_EMOJI:
        more = ngettext(
            "Members can also tap {count} more.",
            "Members can also tap {count} more.",
            len(taps) - MAX_OFFERED_EMOJI,
        )
        # Translators: most is a number of emoji
        these = _("These {most} appear under a photo.", most=MAX_OFFERED_EMOJI)
        offered.append(sentences(these, more))
    none = _("No photo channels yet. Use `/studii photos offer` or `/studii photos auto` in a channel.")
    auto_runs = _("Auto runs use the poster's allowance; all limits apply. Bots and webhooks are ignored.")
    return boxed(
        NEUTRAL if sees_photos else UNSURE,
        f"### 🖼️ {title}",
        "" if sees_photos else INTENT_OFF,
        lines(*_bounded(shown, MAX_LIST_CHARACTERS // 2)) or none,
        lines(*_bounded(offered, MAX_LIST_CHARACTERS // 2)) if offers else "",
        in_the_way,
        rule(),
        small(auto_runs),
    )


def _channel_words(channel: PhotoChannel, catalog: Catalog) -> str:
    there = f"<#{channel.channel_id}>"
    if channel.kind is PhotoChannelKind.OFFER or channel.preset is None:
        return _("{channel}: tools offered under each photo", channel=there)
    return ngettext(
        "{channel}: runs {tool}, one photo per message",
        "{channel}: runs {tool}, up to {count} photos per message",
        channel.most,
        channel=there,
        tool=_preset_words(channel.preset, catalog),
    )


def metadata_panel(*, keeps: bool) -> Panel:
    """Return whether metadata is removed from photos, and how to change it."""
    if keeps:
        said = _(
            "Photo metadata is **kept**. JPEG, PNG and WebP photos go to Studii, and appear beside "
            "results, with everything in the file, such as place and camera. Photos of other kinds "
            "are converted and lose their metadata."
        )
        other = _("`/studii metadata remove:True` removes it from new photos.")
    else:
        said = _(
            "Photo metadata is **removed**. Location, camera, serial numbers, comments, previews and "
            "attached videos are removed before a photo goes to Studii or appears beside a result. "
            "The picture, its orientation, its color profile and AI labels stay. Content Credentials "
            "(C2PA) that hold such data are removed; only their AI label stays, if they have one."
        )
        other = _("`/studii metadata remove:False` keeps it in new photos.")
    return boxed(UNSURE if keeps else GOOD, lines("### 🏷️ " + _("Photo metadata"), said), small(other))


def metadata_line(*, keeps: bool) -> str:
    """Return the line for the setup panel; empty if the default applies."""
    if not keeps:
        return ""
    return "⚠️ " + _(
        "**Photo metadata** is kept, such as where a photo was taken. Change it with `/studii metadata`"
    )


def _bounded(listed: Sequence[str], room: int) -> list[str]:
    """Return the lines that fit, and how many more there are."""

    def more(left: int) -> str:
        return ngettext("… and {count} more", "… and {count} more", left)

    return fitting(listed, room, more, MAX_LISTED_LINES)


def _tap_words(preset: Preset, catalog: Catalog, styles: Mapping[str, str]) -> str:
    name = styles.get(preset.style_id or "")
    if name is None:
        return _preset_words(preset, catalog)
    return _(
        "the style **“{style}”**: {tool}",
        style=plain(name, MAX_STYLE_NAME_CHARACTERS),
        tool=_preset_words(preset, catalog),
    )


def _preset_words(preset: Preset, catalog: Catalog) -> str:
    tool = catalog.tools.get(preset.tool)
    title = tool.title if tool else plain(preset.tool, 40)
    named = [tool.named_value(*one) if tool else one for one in preset.inputs.items()]
    inputs = " · ".join(f"{name} {plain(value, 40)}" for name, value in named)
    return f"**{title}**" + (f" ({inputs})" if inputs else "")
