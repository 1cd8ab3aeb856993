"""Members who lack credits ask the server's admins for more, who grant them or decline."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import discord
from discord import ui

from bot.catalog import Catalog
from bot.credits import requests
from bot.credits.budgets import GRANTED_FOR, credit_words
from bot.credits.requests import CreditRequest, RequestState
from bot.errors import Refused
from bot.languages import gettext as _, lazy, plazy, speaking
from bot.posts import Post
from bot.servers.settings import Period
from bot.ui.kit.answers import DISCORD_ERRORS, acknowledge, refused_as
from bot.ui.kit.layout import GOOD, QUIET, Panel, boxed, lines, plain, small
from bot.ui.panels.controls import Id, Press, button
from bot.ui.reading.permissions import MANAGERS_ONLY, ensure_manager, fetched_member, roles_of

NOT_IN_A_SERVER = lazy("Ask in a channel of the server. No admin was asked.")
DM_LOOKUP_SECONDS = 8.0  # the press is answered before

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
    await host.resources.db.write(requests.ask, guild_id, member.id, roles, channel_id, slug, price, now)
    await interaction.edit_original_response(
        view=boxed(GOOD, lazy("An admin was asked for more credits. You'll be told what they decide."))
    )


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
    db, by = host.resources.db, interaction.user.id
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
