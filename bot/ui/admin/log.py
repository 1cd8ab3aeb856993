"""What `/studii log` shows."""

from typing import Any

import discord

from bot.domain import LogSettings
from bot.ui.kit.layout import BAD, GOOD, NEUTRAL, Panel, box, lines, small
from bot.ui.reading.permissions import hindrance, missing_to_post

WHAT = (
    "It gets a warning when 80 % and 100 % of the budget are used, when Studii refuses the key or is out of "
    "credits, and for each job whose outcome nobody knows."
)
HELLO = "📋 **This is Studii's log channel now.** " + WHAT
ON = "It also reads who made what, with a link and a button to delete it."
OFF = "Who made what is not posted there. Turn it on with `/studii log results:True`."


GONE = "the channel is gone, or a thread that rests"


def missing_there(guild: discord.Guild, channel: Any) -> list[str]:
    """What the bot lacks for posting warnings in that channel; it need not read what stands there."""
    lacking = missing_to_post(channel.permissions_for(guild.me), channel, file=False)
    return [name for name in lacking if name != "Read Message History"]


def trouble_there(guild: discord.Guild | None, settings: LogSettings) -> str:
    """What keeps the bot from posting in the log channel now; empty: nothing, or there is none."""
    if guild is None or settings.channel_id is None:
        return ""
    channel = guild.get_channel_or_thread(settings.channel_id)
    if channel is None or (isinstance(channel, discord.Thread) and channel.parent is None):
        return GONE
    missing = missing_there(guild, channel)
    return hindrance(missing) if missing else ""


def log_line(settings: LogSettings, trouble: str) -> str:
    """The log channel in a line of the setup panel."""
    if settings.channel_id is None:
        return "➖ **Log channel**: none yet. `/studii log` sets one, for warnings"
    if trouble:
        return f"⚠️ **Log channel** <#{settings.channel_id}>: {trouble}. `/studii log` sets another"
    return f"✅ **Log channel**: <#{settings.channel_id}>"


def log_panel(settings: LogSettings, trouble: str = "") -> Panel:
    """Where admins are told of things; `trouble`: what is in the way there."""
    if settings.channel_id is None:
        return Panel(
            box(
                NEUTRAL,
                "### 📋 No log channel",
                f"Set one with `/studii log channel:`. {WHAT}",
                small(
                    "Until then, the owner hears by DM when the key stops working, credits run out, or "
                    "nobody knows a job's outcome."
                ),
            )
        )
    problem = f"⚠️ I can't post there: {trouble}." if trouble else ""
    return Panel(
        box(
            BAD if trouble else GOOD,
            lines(f"### 📋 Log channel: <#{settings.channel_id}>", problem),
            WHAT,
            small(ON if settings.results else OFF),
        )
    )
