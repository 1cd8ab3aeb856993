"""What admins see, and type, of reactions and photo channels."""

import re
from collections.abc import Sequence

import discord

from bot.catalog import Catalog
from bot.domain.photo_rules import MOST_OFFERED, PhotoChannelKind, PhotoRules, Preset
from bot.errors import Refused
from bot.services import Tap
from bot.ui.kit.layout import GOOD, NEUTRAL, UNSURE, Panel, box, lines, rule, small
from bot.ui.kit.text import plain

INTENT_OFF = (
    "Reactions and photo channels are off: Discord does not show this bot other people's photos. Whoever "
    "hosts the bot can turn on **Message Content Intent** (discord.com/developers/applications, Bot, "
    "Privileged Gateway Intents), leave `MESSAGE_CONTENT` at `auto`, and start the bot again. Everything "
    "else works without it."
)
MOST_SHOWN = 25
ROOM = 2000  # characters for what is listed, of the 4,000 of a message


def reads_photos(client: discord.Client) -> bool:
    """Whether Discord shows the bot other people's photos."""
    return client.intents.message_content


def inputs_from(typed: str | None) -> dict[str, str]:
    """`style=rustic, room=bedroom` as names and values. Raises `Refused` for anything else."""
    inputs: dict[str, str] = {}
    for piece in re.split(r",(?=\s*\w+\s*=)", typed or ""):
        name, sign, value = piece.partition("=")
        if not piece.strip():
            continue
        if not (sign and name.strip() and value.strip()):
            raise Refused("Write `inputs` as name=value, with commas between: style=rustic, room=bedroom")
        inputs[name.strip().lower()] = value.strip()
    return inputs


def reactions_panel(
    title: str,
    rules: PhotoRules,
    taps: Sequence[Tap],
    catalog: Catalog,
    *,
    sees_photos: bool,
    in_the_way: str = "",
) -> Panel:
    """Where reactions are on, what each emoji stands for, and what is in the way."""
    where = ", ".join(f"<#{one}>" for one in sorted(rules.places)[:MOST_SHOWN])
    if rules.everywhere:
        state = "They are **on** in the whole server."
    elif rules.places:
        state = f"They are **on** in {where}."
    else:
        state = "They are **off**. `/studii reactions on` turns them on, for the server or for a channel."
    offers = [one for one in rules.channels.values() if one.kind is PhotoChannelKind.OFFER]
    if offers and not rules.everywhere:
        there = ", ".join(f"<#{one.channel_id}>" for one in offers[:MOST_SHOWN])
        state += (
            f"\nThe emoji that I put under photos in {there} can be tapped in any case (`/studii photos`)."
        )
    known = [f"{tap.emoji} {_preset_words(tap.preset, catalog)}" for tap in taps]
    return Panel(
        box(
            NEUTRAL if sees_photos else UNSURE,
            f"### 👆 {title}\n{state}" if sees_photos else f"### 👆 {title}\n{INTENT_OFF}",
            lines(state if not sees_photos else "", *_bounded(known, ROOM)),
            in_the_way,
            rule(),
            small(
                "Whoever taps pays for it from their own allowance. Taking it back cancels what still waits."
            ),
        )
    )


def photos_panel(
    title: str,
    rules: PhotoRules,
    taps: Sequence[Tap],
    catalog: Catalog,
    *,
    sees_photos: bool,
    in_the_way: str = "",
) -> Panel:
    """What happens by itself in which channels, and what is in the way."""
    shown: list[str] = []
    for channel in rules.channels.values():
        if channel.kind is PhotoChannelKind.OFFER or channel.preset is None:
            shown.append(f"<#{channel.channel_id}> offers the tools under each photo")
            continue
        most = f", up to {channel.most} photos a message" if channel.most > 1 else ", one photo a message"
        shown.append(f"<#{channel.channel_id}> runs {_preset_words(channel.preset, catalog)}{most}")
    offers = any(channel.kind is PhotoChannelKind.OFFER for channel in rules.channels.values())
    offered = [f"{tap.emoji} {_preset_words(tap.preset, catalog)}" for tap in taps[:MOST_OFFERED]]
    if len(taps) > MOST_OFFERED:
        offered.append(
            f"These {MOST_OFFERED} are put under a photo; {len(taps) - MOST_OFFERED} more can be tapped."
        )
    none = "There are none. `/studii photos offer` or `/studii photos auto` makes this channel one."
    return Panel(
        box(
            NEUTRAL if sees_photos else UNSURE,
            f"### 🖼️ {title}",
            "" if sees_photos else INTENT_OFF,
            lines(*_bounded(shown, ROOM // 2)) or none,
            lines(*_bounded(offered, ROOM // 2)) if offers else "",
            in_the_way,
            rule(),
            small(
                "Auto spends its posters' allowances, within every limit. Bots and webhooks are passed over."
            ),
        )
    )


def metadata_panel(*, keeps: bool) -> Panel:
    """Whether metadata is removed from photos, and how to change it."""
    if keeps:
        said = (
            "Photo metadata is **kept**. JPEG, PNG and WebP photos go to Studii, and appear beside results, "
            "with everything in the file: for example where they were taken, and with which camera. Photos "
            "of other kinds are converted and lose it."
        )
        other = "`/studii metadata remove:True` removes it from photos that arrive from then on."
    else:
        said = (
            "Photo metadata is **removed**. Location, camera, serial numbers, comments, previews and "
            "attached videos are taken out before a photo goes to Studii or appears beside a result. The "
            "picture itself, its orientation, its color profile and AI labels stay."
        )
        other = "`/studii metadata remove:False` keeps it in photos that arrive from then on."
    return Panel(box(UNSURE if keeps else GOOD, f"### 🏷️ Photo metadata\n{said}", small(other)))


def metadata_line(*, keeps: bool) -> str:
    """The line for the setup panel; empty where the default applies."""
    if not keeps:
        return ""
    return "⚠️ **Photo metadata** is kept, such as where a photo was taken: `/studii metadata`"


def _bounded(listed: Sequence[str], room: int) -> list[str]:
    """As many as there is room for, and how many more there are."""
    shown: list[str] = []
    for line in listed[:MOST_SHOWN]:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    left = len(listed) - len(shown)
    return [*shown, f"… and {left} more"] if left else shown


def _preset_words(preset: Preset, catalog: Catalog) -> str:
    tool = catalog.tools.get(preset.tool)
    title = tool.title if tool else plain(preset.tool, 40)
    inputs = ", ".join(f"{name} {plain(value, 40)}" for name, value in preset.inputs.items())
    return f"**{title}**" + (f" ({inputs})" if inputs else "")
