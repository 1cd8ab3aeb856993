"""/studii key, budget and metadata: what a server's admins set."""

import asyncio

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.credits import budgets
from bot.credits.budgets import MAX_BUDGET, matching_zones
from bot.domain.guilds import Period
from bot.features.wording import PERIOD_CHOICES
from bot.languages import N_, gettext as _
from bot.servers import settings as server_settings
from bot.services import Services
from bot.ui.admin.credits.credits import budget_panel
from bot.ui.admin.key_form import open_key_form
from bot.ui.admin.photo_rules import metadata_panel
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import server_of
from cogs.studii.group import Choices, Command, add_to_studii, choices, function_command

_PERIODS = [app_commands.Choice(name=words, value=period.value) for period, words in PERIOD_CHOICES.items()]


# Long: most of it is the list of the command's options.
def budget_command(services: Services) -> Command:
    """Build `/studii budget`."""

    @function_command(name="budget", description=N_("Show or set how many credits this server can spend"))
    @app_commands.describe(
        credits_=N_("How many credits; leave out to see the current budget"),
        period=N_("How often it renews; a day, unless you choose"),
        timezone=N_("The time zone in which days, weeks and months start, such as Europe/Berlin"),
        restart=N_("Restart a one-off total from zero"),
        confirm=N_("Ask people before a job that costs more credits than this; 0 to ask no one"),
    )
    @app_commands.rename(credits_="credits")
    @app_commands.choices(period=_PERIODS)
    @app_commands.autocomplete(timezone=_zones)
    async def budget(
        interaction: discord.Interaction,
        credits_: app_commands.Range[int, 0, MAX_BUDGET] | None = None,
        period: str | None = None,
        timezone: app_commands.Range[str, 1, 64] | None = None,
        restart: bool = False,
        confirm: app_commands.Range[int, 0, MAX_BUDGET] | None = None,
    ) -> None:
        guild_id = server_of(interaction)
        of_the_budget = credits_ is not None or period is not None or restart
        if not of_the_budget and timezone is None and confirm is None:
            state = await services.db.read(budgets.state, guild_id, services.clock.now())
            await answer(interaction, budget_panel(state, _("Server budget")))
            return
        # Options that are left out keep their values.
        state = await services.db.write(
            budgets.set_budget,
            guild_id,
            credits_,
            None if period is None else Period(period),
            timezone,
            at=services.clock.now(),
            restart=restart,
            confirm_above=confirm,
        )
        if of_the_budget or (timezone is not None and confirm is not None):
            title = _("Budget set")
        elif timezone is not None:
            title = _("Time zone set")
        else:
            title = _("Confirmation set") if confirm else _("Confirmation off")
        await answer(interaction, budget_panel(state, title))

    return budget


def metadata_command(services: Services) -> Command:
    """Build `/studii metadata`."""

    @function_command(
        name="metadata", description=N_("Show or set whether location and camera data is removed from photos")
    )
    @app_commands.describe(remove=N_("Leave out to see the current setting"))
    async def metadata(interaction: discord.Interaction, remove: bool | None = None) -> None:
        guild_id = server_of(interaction)
        if remove is not None:
            await services.db.write(server_settings.change, guild_id, keeps_metadata=not remove)
        keeps = (await services.db.read(server_settings.of, guild_id)).keeps_metadata
        await answer(interaction, metadata_panel(keeps=bool(keeps)))

    return metadata


async def _zones(_: discord.Interaction, typed: str) -> Choices:
    return choices((zone, zone) for zone in await asyncio.to_thread(matching_zones, typed))


async def setup(bot: StudiiBot) -> None:
    entering = N_("Enter or replace this server's Studii key")
    key = Command(name="key", description=entering, callback=open_key_form)
    add_to_studii(bot, key, budget_command(bot.services), metadata_command(bot.services))
