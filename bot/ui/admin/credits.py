"""Show members what is left of the server's budget and of their own limits."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import discord
from discord import ui

from bot.catalog import Catalog
from bot.credits import requests
from bot.credits.budgets import BudgetState
from bot.credits.ledger import Usage
from bot.credits.limits import AllowanceScope, MemberState
from bot.credits.requests import CreditRequest, RequestState
from bot.domain.guilds import Period
from bot.errors import Refused
from bot.features.wording import GRANTED_FOR, credit_words, discord_timestamp
from bot.jobs.models import Job
from bot.languages import Message, gettext as _, lazy, ngettext, number, plazy, sentences, speaking
from bot.posts import Post
from bot.ui.jobs.wording import job_line
from bot.ui.kit.answers import DISCORD_ERRORS, acknowledge, refused_as
from bot.ui.kit.layout import (
    BAD,
    GOOD,
    NEUTRAL,
    QUIET,
    Panel,
    boxed,
    fitting,
    lines,
    more_words,
    named_value,
    plain,
    rule,
    small,
)
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import MANAGERS_ONLY, ensure_manager, fetched_member, roles_of

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


def credits_panel(member: MemberState, recent: Sequence[Job], catalog: Catalog) -> Panel:
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
        lines(f"**{_('Your latest jobs')}**", *(job_line(job, catalog) for job in recent))
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
        _(
            # Translators: {period} is such as "for today".
            "The total includes {credits} granted {period}.",
            credits=credit_words(state.grants),
            period=state.for_words,
        )
        if state.grants
        else "",
    )


def own_limits(limits: MemberState) -> list[str]:
    """Return the limits that the member has besides the server's budget, a line each."""
    others = ["" if limits.limits.at_once is None else _running(limits), _rate(limits)]
    if limits.whole is None or limits.left is None:
        return others
    # Translators: what is left is, for example, “3 of 100 credits left today”.
    words = _("**Your allowance**: {left}. It renews with the server's budget.", left=limits.left_words)
    if limits.use.grants:
        words = _(
            "**Your allowance**: {left}, {granted} of it granted. It renews with the server's budget.",
            left=limits.left_words,
            granted=limits.use.grants,
        )
    return [f"{bar(limits.left, limits.whole)} {words}", *others]


def _used(usage: Usage, words: tuple[Message, Message]) -> Message:
    """Return the words for what is used: the first without running jobs, the second with some."""
    return words[usage.reserved > 0].using(credits=credit_words(usage.settled), reserved=usage.reserved)


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


MAX_LISTED_ALLOWANCES, MAX_LISTED_CHARACTERS = 15, 2000
_CREDITS_FROM: Mapping[AllowanceScope, Message] = {
    AllowanceScope.MEMBER: lazy("their own allowance: {credits}"),
    AllowanceScope.ROLE: lazy("the highest of their roles' allowances: {credits}"),
    AllowanceScope.MEMBERS: lazy("everyone's allowance: {credits}"),
}


def member_panel(user_id: int, state: MemberState, *, granted_now: int, here: bool) -> Panel:
    """Return what one member may do now.

    `granted_now` is what was just granted, or taken back if it is negative. `here`: they are in the server.
    """
    return boxed(
        NEUTRAL,
        f"### 👤 {_('Limits of {member}', member=f'<@{user_id}>')}",
        "" if here else _("This member isn't in the server. If they come back, these limits apply."),
        _given(granted_now, state.budget),
        lines(_allowance_words(state), _idle_grants(state), _running(state), _rate(state)),
        lines(
            # Translators: {left} is such as "3 of 100 credits left today".
            _("Server: {left}.", left=state.budget.left_words),
            small(DEFAULT_HOLDS) if state.budget.is_default else "",
        ),
    )


def _idle_grants(state: MemberState) -> str:
    if state.allowance is not None or not state.use.grants:
        return ""
    return ngettext(
        # Translators: {period} is such as "for today".
        "{count} credit granted {period} will count once this member has an allowance.",
        "{count} credits granted {period} will count once this member has an allowance.",
        state.use.grants,
        period=state.budget.for_words,
    )


def _running(state: MemberState) -> str:
    going, most = state.use.going, state.limits.at_once
    if most is None:
        return _("Running jobs: {running}", running=going)
    return _("Running jobs: {running} of {limit}", running=going, limit=most)


def _rate(state: MemberState) -> str:
    if state.limits.rate is None:
        return ""
    rate = state.limits.rate.words
    if state.next_start is None:
        # Translators: {rate} is such as "5 jobs in 10 minutes".
        return _("Start rate: {rate}", rate=rate)
    # Translators: {rate} is such as "5 jobs in 10 minutes"; {when} is shown as "in 3 hours".
    return _("Start rate: {rate}; next start {when}", rate=rate, when=discord_timestamp(state.next_start))


def _allowance_words(state: MemberState) -> str:
    if state.allowance is None:
        return _("No allowance. Only the server's budget applies.")
    source = _CREDITS_FROM[state.allowance.whose].using(credits=credit_words(state.allowance.credits))
    if state.use.grants:
        said = _(
            # Translators: {left}: "3 of 100 credits left today"; {source}: "everyone's allowance: 90
            # credits"; {period}: "for today".
            "**{left}** ({source}, {granted} granted {period}).",
            left=state.left_words,
            source=source,
            granted=f"+{number(state.use.grants)}",
            period=state.budget.for_words,
        )
    else:
        # Translators: {left}: "3 of 100 credits left today"; {source}: "everyone's allowance: 90 credits".
        said = _("**{left}** ({source}).", left=state.left_words, source=source)
    return sentences(said, state.budget.renewal_words)


def grant_panel(budget: BudgetState, members: Mapping[int, int], *, granted_now: int) -> Panel:
    """Return what is granted for this period, also to members. `granted_now` is as in `member_panel`."""
    return boxed(
        NEUTRAL,
        # Translators: {period} is such as "for today".
        f"### 🎁 {_('Granted {period}', period=budget.for_words)}",
        _given(granted_now, budget),
        _server_grants(budget),
        _listed(_("Members (on top of their allowance)"), "<@{}>", members),
        small(
            _(
                "A grant counts until the total is restarted or the budget's period is changed. A "
                "member's grant can't exceed the server's budget."
            )
            if budget.window.end is None
            else _(
                "A grant counts until the period ends or is changed. A member's grant can't exceed the "
                "server's budget."
            )
        ),
        small(DEFAULT_HOLDS) if budget.is_default else "",
    )


def _server_grants(budget: BudgetState) -> str:
    if budget.grants:
        said = _(
            # Translators: {limit} is such as "100 credits a day", {left} "3 of 100 credits left today".
            "Server: **{credits}** on top of {limit}; {left}.",
            credits=credit_words(budget.grants),
            limit=budget.limit_words,
            left=budget.left_words,
        )
    else:
        # Translators: {limit} is such as "100 credits a day", {left} "3 of 100 credits left today".
        said = _(
            "Server: nothing on top of {limit}; {left}.", limit=budget.limit_words, left=budget.left_words
        )
    return sentences(said, budget.renewal_words)


def _given(amount: int, budget: BudgetState) -> str:
    if not amount:
        return ""
    if amount < 0:
        return ngettext(
            # Translators: {period} is such as "for today".
            "Took back {count} credit granted {period}.",
            "Took back {count} credits granted {period}.",
            -amount,
            period=budget.for_words,
        )
    return ngettext(
        # Translators: {period} is such as "for today".
        "Granted {count} credit {period}.",
        "Granted {count} credits {period}.",
        amount,
        period=budget.for_words,
    )


def _listed(title: str, form: str, amounts: Mapping[int, int]) -> str:
    """Return whose credits are how many."""
    if not amounts:
        return ""
    shown = [named_value(form.format(one), credit_words(amount)) for one, amount in amounts.items()]
    return lines(f"**{title}**", *fitting(shown, MAX_LISTED_CHARACTERS, more_words, MAX_LISTED_ALLOWANCES))


Details = Mapping[str, str | int | None]
_ANSWERED = {
    # Translators: {amount} is such as "12 credits".
    RequestState.GRANTED: lazy("Granted {amount} to {member} by {admin}."),
    RequestState.DECLINED: lazy("Declined by {admin}."),
    RequestState.LEFT: lazy("{member} isn't in this server any more, so nothing was granted."),
}


def asked_words(details: Details, catalog: Catalog) -> list[str]:
    """Return the request for admins, a piece each: who, what and how much."""
    price, amount = int(details.get("price") or 0), int(details.get("amount") or 0)
    title = catalog.title(str(details.get("tool")))
    wanted = (
        lazy(
            "{member} wants to run **{tool}** in {channel}. It costs {credits}, and the server's budget has "
            "too few left."
        )
        if details.get("server")
        else lazy(
            "{member} wants to run **{tool}** in {channel}. It costs {credits}, and their allowance has "
            "too few left."
        )
    )
    return [
        f"### 🙋 {_('A member asks for more credits')}",
        lines(
            wanted.using(
                member=f"<@{details.get('user')}>",
                tool=title,
                channel=f"<#{details.get('asked_in')}>",
                credits=credit_words(price),
            ),
            small(
                _(
                    # Translators: {period} is such as "for today".
                    "A grant adds {credits} {period}. Anyone with Manage Server can answer, or add credits "
                    "with `/studii grant`.",
                    credits=credit_words(amount),
                    period=GRANTED_FOR[Period(details.get("period") or Period.DAY)],
                )
            ),
        ),
    ]


def request_buttons(notice: Post) -> list[ui.Button[Any]]:
    """Return the buttons with which an admin answers."""
    amount = int(notice.details.get("amount") or 0)
    grants = answers.looking(label=lazy("Grant {amount}", amount=amount), style=discord.ButtonStyle.success)
    return [
        grants.of("grant", notice.key),
        answers.looking(label=plazy("button", "Decline")).of("decline", notice.key),
    ]


def answer_panel(details: Details, catalog: Catalog, server: str) -> Panel:
    """Return the answer to the member, sent by DM or where they asked."""
    title = catalog.title(str(details.get("tool")))
    user, where = f"<@{details.get('user')}>", plain(server, 100)
    if details.get("state") == RequestState.GRANTED:
        amount = credit_words(int(details.get("amount") or 0))
        granted = (
            lazy("{member}, an admin of **{server}** granted you {credits}. You can run **{tool}** now.")
            if details.get("member")
            else lazy(
                "{member}, an admin of **{server}** granted the server {credits}. You can run **{tool}** now."
            )
        )
        return boxed(GOOD, granted.using(member=user, server=where, credits=amount, tool=title))
    said = _(
        "{member}, an admin of **{server}** declined your request for more credits for **{tool}**.",
        member=user,
        server=where,
        tool=title,
    )
    return boxed(QUIET, said)


def answered_panel(request: CreditRequest, catalog: Catalog) -> Panel:
    """Return what takes the place of a request that was answered."""
    to_server = request.state is RequestState.GRANTED and request.of_server and not request.of_member
    said = (
        lazy("Granted {amount} to the server by {admin}.") if to_server else _ANSWERED[request.state]
    ).using(
        amount=credit_words(request.amount), admin=f"<@{request.answered_by}>", member=f"<@{request.user_id}>"
    )
    title = catalog.title(request.tool)
    about = _("{member} asked for more credits for **{tool}**.", member=f"<@{request.user_id}>", tool=title)
    return boxed(GOOD if request.state is RequestState.GRANTED else QUIET, lines(about, said))


@button("more:{how}:{request_id}")
async def answers(press: Press, how: Literal["grant", "decline"], request_id: Id) -> None:
    """Grant or decline a member's request for more credits; for admins, and the owner in a DM."""
    interaction, host = press.interaction, press.host
    db, by = host.services.db, interaction.user.id
    await acknowledge(interaction)
    asked = await db.read(requests.get, request_id)
    if ensure_manager(interaction) != asked.guild_id:
        raise Refused(MANAGERS_ONLY)
    guild, state = interaction.guild, RequestState.GRANTED
    if how == "decline":
        state = RequestState.DECLINED
    elif guild is not None and not await _is_there(guild, asked.user_id):
        state = RequestState.LEFT
    answered = await db.write(requests.answer, asked.id, state, by, host.clock.now())
    with speaking(await host.readers.in_server(asked.guild_id)):
        panel = answered_panel(answered, host.catalog)
    await interaction.edit_original_response(view=panel)


async def _is_there(guild: discord.Guild, user_id: int) -> bool:
    """Return whether the member is in the server, or seems to be."""
    try:
        return await fetched_member(guild, user_id) is not None
    except DISCORD_ERRORS:
        return True
