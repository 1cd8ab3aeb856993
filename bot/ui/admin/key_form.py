"""The form in which an admin enters the server's Studii key: the only way in which the bot gets a key."""

from typing import Any

import discord
from discord import ui

from bot.credits import budgets
from bot.domain.guilds import Plan
from bot.languages import gettext as _, lazy
from bot.servers import keys
from bot.servers.keys import StudiiKey
from bot.ui.admin.credits.budget_form import daily_budget
from bot.ui.admin.credits.credits import key_panel
from bot.ui.kit.first_answer import read_before_form
from bot.ui.kit.forms import Form
from bot.ui.kit.host import Host, host_of
from bot.ui.kit.responses import answer
from bot.ui.reading.openers import Opener
from bot.ui.reading.permissions import server_of

_PLANS = {
    Plan.PRO: lazy("Pro (60 requests a minute)"),
    Plan.TEAM: lazy("Team (300 requests a minute)"),
    Plan.BUSINESS: lazy("Business (300 requests a minute)"),
}


async def open_key_form(interaction: discord.Interaction) -> None:
    """Show the form, with the plan of the key that the server has."""
    db = host_of(interaction).services.db
    current = await read_before_form(interaction, db.read(keys.current, server_of(interaction)))
    await KeyForm(current, Opener.of(interaction)).show(interaction)


class KeyForm(Form):
    """Asks for key, plan and daily budget."""

    def __init__(self, current: StudiiKey | None, opener: Opener) -> None:
        super().__init__(_("Studii key"))
        self._opener = opener
        self._key = ui.TextInput[Any](
            custom_id="key",
            placeholder="stu_…",  # Untranslated: how keys begin
            min_length=4,
            max_length=400,
        )
        self._plan = ui.Select[Any](
            custom_id="plan",
            placeholder=_("Your Studii account's plan"),
            options=[
                discord.SelectOption(
                    label=str(label), value=plan.value, default=current is not None and current.plan is plan
                )
                for plan, label in _PLANS.items()
            ],
        )
        self._budget = ui.TextInput[Any](custom_id="budget", placeholder="100", required=False, max_length=12)
        # Translators: at most 100 characters
        where = _("From studii.tech/app/settings/api-keys. Stored encrypted, never shown again.")
        self.add_field(_("API key"), self._key, where)
        self.add_field(_("Plan"), self._plan, _("Sets the bot's request limit."))
        # Translators: at most 100 characters
        budget_help = _("Credits the server can spend each day. Leave empty to keep the current value.")
        self.add_field(_("Daily budget"), self._budget, budget_help)

    async def submitted(self, interaction: discord.Interaction, host: Host) -> None:
        guild_id = self._opener.ensure(interaction)
        daily = daily_budget(self._budget.value)
        plan, services = Plan(self._plan.values[0]), host.services
        key = await services.keys.set_key(guild_id, self._key.value, plan, daily)
        budget = await services.db.read(budgets.state, guild_id, host.clock.now())
        await answer(interaction, key_panel(key, budget))
