"""The form for a server's budget."""

from typing import Any

import discord
from discord import ui

from bot.credits import budgets
from bot.credits.budgets import MAX_BUDGET
from bot.domain.guilds import Budget, Period
from bot.errors import Refused
from bot.features.wording import PERIOD_CHOICES
from bot.languages import gettext, gettext as _, lazy, whole_number
from bot.ui.admin.credits.credits import budget_panel
from bot.ui.kit.forms import Form
from bot.ui.kit.host import Host
from bot.ui.kit.responses import answer
from bot.ui.reading.openers import Opener

NOT_A_BUDGET = lazy(
    "The daily budget must be a whole number of credits from 0 to {most}, such as 100. Open the form again. "
    "Nothing was changed.",
    most=MAX_BUDGET,
)


class BudgetForm(Form):
    """Asks for the budget of the server and its period."""

    def __init__(self, budget: Budget, opener: Opener) -> None:
        super().__init__(_("Server budget"))
        self._opener = opener
        self._limit = ui.TextInput[Any](custom_id="limit", default=str(budget.limit), max_length=12)
        self._period = ui.Select[Any](
            custom_id="period",
            options=[
                discord.SelectOption(
                    label=gettext(words), value=period.value, default=period is budget.period
                )
                for period, words in PERIOD_CHOICES.items()
            ],
        )
        limit_help = _("A whole number up to {most}. Takes effect immediately.", most=MAX_BUDGET)
        self.add_field(_("Credits"), self._limit, limit_help)
        self.add_field(_("Renewal"), self._period)

    async def submitted(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = self._opener.ensure(interaction)
        limit = daily_budget(self._limit.value)
        if limit is None:
            raise Refused(lazy("Enter how many credits the server can spend. Nothing was changed."))
        period = Period(self._period.values[0])
        db, now = host.services.db, host.clock.now()
        state = await db.write(budgets.set_budget, guild_id, limit, period, at=now)
        await answer(interaction, budget_panel(state, _("Budget set")))


def daily_budget(typed: str) -> int | None:
    """Return the number that was typed, or None if nothing was. Raises `Refused` if it can't be a budget."""
    if not typed.strip():
        return None
    number = whole_number(typed)
    if number is None:
        raise Refused(NOT_A_BUDGET)
    return number
