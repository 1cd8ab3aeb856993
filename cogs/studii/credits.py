"""/studii budget and /studii grant, for those who type."""

from functools import partial
from typing import Any

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.credits import limits
from bot.credits.budgets import MAX_BUDGET
from bot.domain.guilds import Period
from bot.features.wording import PERIOD_CHOICES
from bot.languages import N_
from bot.services import Services
from bot.ui.admin.credits.limits import grant_panel, member_panel
from bot.ui.kit.layout import Panel
from bot.ui.kit.responses import answer
from bot.ui.panels.settings import Scope, open_panel
from bot.ui.reading.member import roles_of
from bot.ui.reading.permissions import server_of
from bot.ui.settings.credits import CREDITS, budget_value, load, set_budget
from cogs.studii.group import Command, add_to_studii, function_command

_PERIODS = [app_commands.Choice(name=words, value=period.value) for period, words in PERIOD_CHOICES.items()]


def budget_command() -> Command:
    """Build `/studii budget`."""

    @function_command(name="budget", description=N_("Show or set how many credits this server can spend"))
    @app_commands.describe(
        credits_=N_("How many credits; leave out to see the current budget"),
        period=N_("How often it renews; a day, unless you choose"),
    )
    @app_commands.rename(credits_="credits")
    @app_commands.choices(period=_PERIODS)
    async def budget(
        interaction: discord.Interaction,
        credits_: app_commands.Range[int, 0, MAX_BUDGET] | None = None,
        period: str | None = None,
    ) -> None:
        given = {"limit": credits_, "period": None if period is None else Period(period).value}
        typed = {name: value for name, value in given.items() if value is not None}
        await open_panel(interaction, CREDITS.name, partial(_set_budget, typed) if typed else None)

    return budget


def _set_budget(typed: dict[str, Any], session: Any, scope: Scope) -> Any:
    """Set the budget. What was left out keeps its value."""
    return set_budget(session, scope, budget_value(load(session, scope)) | typed)


def grant_command(services: Services) -> Command:
    """Build `/studii grant`."""

    @function_command(name="grant", description=N_("Show or add extra credits for this period"))
    @app_commands.describe(
        credits_=N_("How many credits to add to this period; negative to take back"),
        member=N_("The member to grant them to; leave out for the server"),
    )
    @app_commands.rename(credits_="credits")
    async def grant(
        interaction: discord.Interaction,
        credits_: app_commands.Range[int, -MAX_BUDGET, MAX_BUDGET] | None = None,
        member: discord.User | None = None,  # also one who has left
    ) -> None:
        guild_id, now = server_of(interaction), services.clock.now()
        if credits_ is not None:
            whose = None if member is None else member.id
            await services.db.write(limits.grant, guild_id, whose, credits_, now)
        if member is not None:
            await answer(interaction, await _of_member(services, guild_id, member, credits_ or 0))
            return
        granted = await services.db.read(limits.grants, guild_id, now)
        await answer(interaction, grant_panel(granted, granted_now=credits_ or 0))

    return grant


async def _of_member(
    services: Services, guild_id: int, user: discord.User | discord.Member, granted: int
) -> Panel:
    here = isinstance(user, discord.Member)
    roles = roles_of(user) if here else frozenset[int]()
    state = await services.db.read(limits.of_member, guild_id, user.id, roles, services.clock.now())
    return member_panel(user.id, state, granted_now=granted, here=here)


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, budget_command(), grant_command(bot.services))
