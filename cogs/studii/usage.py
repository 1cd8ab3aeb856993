"""/studii usage and /studii export: where credits went, for those who manage the server."""

import asyncio
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import discord
from discord import app_commands, ui

from bot.catalog import Catalog
from bot.client.bot import StudiiBot
from bot.credits import usage as reports
from bot.credits.usage import LEDGER_HEADINGS, Span, write_ledger
from bot.languages import N_, gettext as _, lazy, ngettext, sentences
from bot.servers import settings
from bot.services import Services
from bot.ui.admin.credits.chart_maker import ChartMaker
from bot.ui.admin.credits.usage import FILE_NAME, usage_chart, usage_panel
from bot.ui.jobs.wording import state_name
from bot.ui.kit.deferral import LateAnswer
from bot.ui.kit.first_answer import defer_answer
from bot.ui.kit.layout import NEUTRAL, Panel, boxed, small
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import server_of
from cogs.studii.group import Command, add_to_studii, function_command

_SPANS = [
    app_commands.Choice(name=N_("the last 7 days"), value=Span.WEEK.value),
    app_commands.Choice(name=N_("the last 30 days"), value=Span.DAYS_30.value),
    app_commands.Choice(name=N_("this month"), value=Span.THIS_MONTH.value),
    app_commands.Choice(name=N_("last month"), value=Span.LAST_MONTH.value),
    app_commands.Choice(name=N_("the last 90 days"), value=Span.DAYS_90.value),
]
_LEDGER_TITLES = {
    None: lazy("Ledger (all time)"),
    Span.WEEK: lazy("Ledger (the last 7 days)"),
    Span.DAYS_30: lazy("Ledger (the last 30 days)"),
    Span.THIS_MONTH: lazy("Ledger (this month)"),
    Span.LAST_MONTH: lazy("Ledger (last month)"),
    Span.DAYS_90: lazy("Ledger (the last 90 days)"),
}
_UTC = frozenset(["UTC", "Etc/UTC"])


def usage_command(services: Services, catalog: Catalog) -> Command:
    """Build `/studii usage`."""
    charts = ChartMaker()

    @function_command(name="usage", description=N_("Show where this server's credits went"))
    @app_commands.describe(period=N_("The period; leave out for the last 30 days"))
    @app_commands.choices(period=_SPANS)
    async def usage(interaction: discord.Interaction, period: str = Span.DAYS_30.value) -> None:
        guild_id = server_of(interaction)
        await defer_answer(interaction, LateAnswer.VIEW)
        span = Span(period)
        report = await services.db.read(reports.report, guild_id, span, services.clock.now())
        picture = await charts.usage(usage_chart(report, catalog, span))
        await _show(interaction, usage_panel(report, catalog, span), picture, FILE_NAME)

    return usage


def export_command(services: Services) -> Command:
    """Build `/studii export`."""

    @function_command(name="export", description=N_("Get this server's ledger of credits as a CSV file"))
    @app_commands.describe(period=N_("The period; leave out for all time"))
    @app_commands.choices(period=_SPANS)
    async def export(interaction: discord.Interaction, period: str | None = None) -> None:
        guild_id = server_of(interaction)
        await defer_answer(interaction, LateAnswer.VIEW)
        await _send_ledger(interaction, services, guild_id, None if period is None else Span(period))

    return export


async def _send_ledger(
    interaction: discord.Interaction, services: Services, guild_id: int, span: Span | None
) -> None:
    zone = ZoneInfo((await services.db.read(settings.of, guild_id)).timezone)
    with TemporaryDirectory(prefix="studii-export-") as folder:
        asked = (guild_id, span, services.clock.now(), zone, Path(folder), interaction.filesize_limit)
        path, count = await write_ledger(services.db, *asked, state_name)
        data = await asyncio.to_thread(path.read_bytes)  # no more than Discord takes
        panel = boxed(
            NEUTRAL,
            f"### 🧾 {_LEDGER_TITLES[span]}\n{sentences(_line_words(count), _columns(zone.key))}",
            ui.File(f"attachment://{path.name}"),
            small(_("Only you can see this.")),
        )
        await _show(interaction, panel, data, path.name)


def _line_words(lines: int) -> str:
    return ngettext("{count} line.", "{count} lines.", lines) if lines else _("No entries yet.")


def _columns(zone: str) -> str:
    entries = _(
        # Translators: `reserve`, `correct`, `settle`, `release`, `grant` and `adjust` stay as they are.
        "Each line is one entry: `reserve` when a job is accepted, `correct` when Studii reports "
        "the charge, `settle` or `release` when the job ends; `grant` when an admin adds credits, "
        "`adjust` when one takes some back.\n`{credits}` is the amount. A job's cost is its "
        "`settle`; `correct` can be negative. `{for_period}` is the period of a grant.",
        **LEDGER_HEADINGS,
    )
    if zone in _UTC:
        times = _("`{time}` and `{time_utc}` are both in UTC.", **LEDGER_HEADINGS)
    else:
        times = _("`{time}` is in {zone}, `{time_utc}` in UTC.", zone=zone, **LEDGER_HEADINGS)
    of_server = _("Entries without a `{member}` are the server's.", **LEDGER_HEADINGS)
    return sentences(entries, times, of_server)


async def _show(interaction: discord.Interaction, panel: Panel, data: bytes, name: str) -> None:
    file = discord.File(io.BytesIO(data), filename=name)
    await answer(interaction, panel, [file])


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, usage_command(bot.services, bot.catalog), export_command(bot.services))
