"""Show members what is left of the server's budget and of their own limits."""

import asyncio
from collections.abc import Sequence

import discord

from bot.credits import requests
from bot.credits.budgets import BudgetState
from bot.credits.ledger import Usage
from bot.credits.limits import MemberState
from bot.errors import Refused
from bot.features.wording import credit_words, discord_timestamp
from bot.jobs.models import Job
from bot.languages import Message, gettext as _, lazy, sentences
from bot.ui.jobs.wording import ToolNames, job_line
from bot.ui.kit.answers import acknowledge, refused_as
from bot.ui.kit.layout import BAD, GOOD, NEUTRAL, Panel, boxed, lines, rule, small
from bot.ui.panels.controls import Press, button
from bot.ui.reading.permissions import roles_of

BAR = 12  # characters
ASKED = lazy("An admin was asked for more credits. You'll be told what they decide.")
NOT_IN_A_SERVER = lazy("Ask in a channel of the server. No admin was asked.")
DM_LOOKUP_SECONDS = 8.0  # the press is answered before
DEFAULT_HOLDS = lazy(
    "No budget is set yet, so the default applies. An admin can set one with `/studii budget`."
)

_USED = lazy("{credits} spent."), lazy("{credits} spent, {reserved} reserved for running jobs.")
_USED_BY_YOU = (
    lazy("**You**: {credits} spent"),
    lazy("**You**: {credits} spent, {reserved} reserved for running jobs"),
)


def credits_panel(member: MemberState, recent: Sequence[Job], names: ToolNames) -> Panel:
    """Return what is left, what the member has used, and the member's latest jobs."""
    return boxed(
        BAD if member.budget.left <= 0 else NEUTRAL,
        f"### 💳 {_('Server credits')}",
        lines(
            budget_lines(member.budget),
            _used(member.use.usage, _USED_BY_YOU),
            *own_limits(member),
            small(DEFAULT_HOLDS) if member.budget.is_default else "",
        ),
        rule(),
        lines(f"**{_('Your latest jobs')}**", *(job_line(job, names) for job in recent))
        if recent
        else _("You haven't made anything here yet. Type `/` and pick a tool."),
        small(_("`/help` shows what each tool costs.")),
    )


def bar(rest: int, whole: int) -> str:
    """Return a bar of characters that shows how much is left, as the number beside it does."""
    share = 0.0 if whole <= 0 else min(1.0, max(0.0, rest / whole))
    # A small rest never looks like none, and a limit that was touched never looks whole.
    filled = round(share * BAR)
    if 0 < share < 1:
        filled = min(BAR - 1, max(1, filled))
    return "▰" * filled + "▱" * (BAR - filled)


def budget_lines(state: BudgetState) -> str:
    """Return what is used and left of the server's budget, and when it renews."""
    return lines(
        f"{bar(state.left, state.whole)} **{state.left_words}**",
        sentences(_used(state.usage, _USED), state.renewal_words),
        _granted(state) if state.grants else "",
    )


def _granted(state: BudgetState) -> str:
    # Translators: {period} is such as "for today".
    return _(
        "The total includes {credits} granted {period}.",
        credits=credit_words(state.grants),
        period=state.for_words,
    )


def own_limits(limits: MemberState) -> list[str]:
    """Return the limits that the member has besides the server's budget, a line each."""
    said: list[str] = []
    if limits.whole is not None and limits.left is not None:
        drawn = bar(limits.left, limits.whole)
        # Translators: what is left is, for example, “3 of 100 credits left today”.
        words = _("**Your allowance**: {left}. It renews with the server's budget.", left=limits.left_words)
        if limits.use.grants:
            words = _(
                "**Your allowance**: {left}, {granted} of it granted. It renews with the server's budget.",
                left=limits.left_words,
                granted=limits.use.grants,
            )
        said.append(f"{drawn} {words}")
    if (most := limits.limits.at_once) is not None:
        said.append(_("Running jobs: {running} of {most}.", running=limits.use.going, most=most))
    if limits.next_start is not None:
        said.append(_("You can start your next job {when}.", when=discord_timestamp(limits.next_start)))
    return said


def _used(usage: Usage, words: tuple[Message, Message]) -> Message:
    """Return the words for what is used: the first without running jobs, the second with some."""
    done, running = words
    said = running if usage.reserved else done
    return said.using(credits=credit_words(usage.settled), reserved=usage.reserved)


# A member who lacks credits asks an admin for more


@button("ask:{guild_id}:{tool}:{price}[:{channel_id}]")
async def ask_admin(
    press: Press, guild_id: int, tool: str, price: int, channel_id: int | None = None
) -> None:
    """Ask the server's admins for the credits that a job lacked. The refusal then says so.

    A refusal under a photo comes by DM, and is answered there. Its look is `ask_button`.
    """
    interaction, host = press.interaction, press.host
    await acknowledge(interaction)
    if interaction.guild_id is None:
        member, channel_id = await _from_dm(interaction, guild_id, channel_id)
    elif interaction.guild_id == guild_id and interaction.channel_id is not None:
        member, channel_id = interaction.user, interaction.channel_id
    else:
        raise Refused(NOT_IN_A_SERVER)
    roles = roles_of(member) if isinstance(member, discord.Member) else frozenset[int]()
    slug, now = host.catalog.get(tool).slug, host.clock.now()
    await host.services.db.write(requests.ask, guild_id, member.id, roles, channel_id, slug, price, now)
    await interaction.edit_original_response(view=boxed(GOOD, ASKED))


async def _from_dm(
    interaction: discord.Interaction, guild_id: int, channel_id: int | None
) -> tuple[discord.Member, int]:
    """Return who asks, as a member of the server, and the channel of theirs that it was for.

    With several processes, another one may know the server: then Discord is asked.
    """
    client = interaction.client
    with refused_as(
        lazy("Discord didn't answer. Try again in a moment. No admin was asked."), gone=NOT_IN_A_SERVER
    ):
        async with asyncio.timeout(DM_LOOKUP_SECONDS):
            guild = client.get_guild(guild_id)
            guild = guild or await client.fetch_guild(guild_id, with_counts=False)
            channel = guild.get_channel_or_thread(channel_id or 0)
            channel = channel or await client.fetch_channel(channel_id or 0)
            of_server = isinstance(channel, discord.abc.GuildChannel | discord.Thread)
            if not of_server or channel.guild.id != guild.id:
                raise Refused(NOT_IN_A_SERVER)
            return await guild.fetch_member(interaction.user.id), channel.id
