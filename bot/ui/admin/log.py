"""The log channel: its greeting, what keeps the bot out of it, and the button under its lines."""

import discord

from bot.credits.budgets import WARNING_PERCENT
from bot.errors import NotAllowed, Refused
from bot.jobs import queries
from bot.languages import gettext as _, lazy, sentences, speaking
from bot.ui.jobs.more import delete_posted
from bot.ui.kit.answers import NO_ACCESS, answer, tolerated
from bot.ui.kit.host import host_of
from bot.ui.kit.layout import NEUTRAL, QUIET, boxed
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import channel_in, hindrance, missing_for_warnings, moderates

LogChannel = discord.TextChannel | discord.Thread | discord.VoiceChannel

LOG_SHOWS = lazy(
    "It gets a warning when {percent}% and 100% of the budget are used, when Studii "
    "refuses the key or credits run out, and for each job with an unknown outcome.",
    percent=WARNING_PERCENT,
)
HELLO = lazy("**This is now Studii's log channel.**")
KEPT_OUT = lazy("Discord doesn't let me post in {channel}. Check my permissions there. Nothing was changed.")
DELETE_FROM_LOG = lazy(
    "To delete it from here, you need Manage Server, or Manage Messages in the result's channel."
)
ALREADY_DELETED = lazy("That result was already deleted.")
MAY_NOT = lazy("I can't delete it: I'm missing **View Channel** in its channel. Delete it there yourself.")
EVERYONE_READS = lazy(
    "Everyone can read it, and it can show refused prompts and who made what. Make it private, or choose "
    "another."
)
LOG_CHANNEL_GONE = lazy("the channel was deleted, or is an archived thread")


async def post_greeting(interaction: discord.Interaction, channel: LogChannel) -> None:
    """Greet the log channel. Raise `NotAllowed` if Discord keeps the bot out of it."""
    with speaking(await host_of(interaction).readers.in_server(channel.guild.id)):
        hello = boxed(NEUTRAL, f"📋 {sentences(HELLO, LOG_SHOWS)}")
    with tolerated("Server %d: the log channel may not be greeted", channel.guild.id):
        try:
            await channel.send(view=hello)
        except NO_ACCESS:
            raise NotAllowed(KEPT_OUT.using(channel=channel.mention)) from None


def trouble_there(guild: discord.Guild | None, channel_id: int | None) -> str:
    """Return why the bot can't post in the log channel now; empty if it can, or if there is none."""
    if guild is None or channel_id is None:
        return ""
    channel = channel_in(guild, channel_id)
    if channel is None:
        return str(LOG_CHANNEL_GONE)
    missing = missing_for_warnings(guild.me, channel)
    return hindrance(missing) if missing else ""


def everyone_reads(guild: discord.Guild | None, channel_id: int | None) -> bool:
    """Return whether everyone in the server can read the channel."""
    channel = channel_in(guild, channel_id)
    if guild is None or channel is None or (isinstance(channel, discord.Thread) and channel.is_private()):
        return False
    return channel.permissions_for(guild.default_role).view_channel


@button("logdelete:{job_id}-{posting}", label=lazy("Delete result"), style=discord.ButtonStyle.danger)
async def delete_from_log(press: Press, job_id: Id, posting: int) -> None:
    """Delete a result from the channel that it was posted in. Its line in the log stays."""
    interaction, db = press.interaction, press.host.services.db
    job = await db.read(queries.get, job_id)
    if job is None or job.guild_id != interaction.guild_id or job.result_message_id is None:
        raise Refused(ALREADY_DELETED)
    if not moderates(interaction, job):
        raise Refused(DELETE_FROM_LOG)
    alone = job.set_message is None  # else the message shows others of the set
    where = (job.result_channel_id or job.channel_id, job.result_message_id) if alone else None
    await delete_posted(interaction, db, where, job, gone=ALREADY_DELETED, out_of_reach=MAY_NOT)
    await answer(interaction, boxed(QUIET, _("The result is deleted. Its cost stays in the ledger.")))
