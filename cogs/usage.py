"""/studii usage and /studii export: where credits went, for those who manage the server."""

import asyncio
import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import discord
from discord import app_commands, ui

from bot.catalog import Catalog
from bot.client.bot import StudiiBot
from bot.domain.spans import Span
from bot.services import Services, export_folder, write_ledger
from bot.ui.admin.charts import ChartMaker
from bot.ui.admin.usage import FILE_NAME, SPANS, usage_chart, usage_panel
from bot.ui.kit.layout import NEUTRAL, Panel, box, small
from bot.ui.reading.permissions import server_of
from cogs.studii import Command, add_to_studii, function_command

_NAMES = {span: words.removeprefix("in ") for span, words in SPANS.items()}
_SPANS = [app_commands.Choice(name=words, value=span.value) for span, words in _NAMES.items()]
WHAT = (
    "One line for each movement: `reserve` when a job is accepted, `correct` when Studii tells the charge, "
    "`settle` and `release` at its end; `grant` when an admin adds credits, `adjust` when one takes back.\n"
    "`credits` is the amount: what a job cost is its `settle`; `correct` may be below zero. `for_period` is "
    "the one in which a grant counts. `time` is in {zone}, `time_utc` in UTC. No `member`: the server's own."
)


def usage_command(services: Services, catalog: Catalog) -> Command:
    """`/studii usage`."""
    charts = ChartMaker()

    @function_command(name="usage", description="See where this server's credits went")
    @app_commands.describe(period="Which days; the last 30 if you leave it out")
    @app_commands.choices(period=_SPANS)
    async def usage(interaction: discord.Interaction[Any], period: str = Span.DAYS_30.value) -> None:
        guild_id = server_of(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        span = Span(period)
        report = await services.usage.report(guild_id, span)
        picture = await charts.usage(usage_chart(report, catalog, span))
        await _show(interaction, usage_panel(report, catalog, span), picture, FILE_NAME)

    return usage


def export_command(services: Services) -> Command:
    """`/studii export`."""

    @function_command(name="export", description="Get this server's ledger of credits as a CSV file")
    @app_commands.describe(period="Which days; everything if you leave it out")
    @app_commands.choices(period=_SPANS)
    async def export(interaction: discord.Interaction[Any], period: str | None = None) -> None:
        guild_id = server_of(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        await _send_ledger(interaction, services, guild_id, None if period is None else Span(period))

    return export


async def _send_ledger(
    interaction: discord.Interaction[Any], services: Services, guild_id: int, span: Span | None
) -> None:
    zone = ZoneInfo(await services.usage.zone(guild_id))
    with export_folder() as folder:
        pages = services.usage.ledger(guild_id, span)
        written = await write_ledger(pages, zone, Path(folder), interaction.filesize_limit)
        data = await asyncio.to_thread(written.path.read_bytes)  # no more than Discord takes
        when = "ever" if span is None else _NAMES[span]
        panel = Panel(
            box(
                NEUTRAL,
                f"### 🧾 Ledger, {when}\n{_line_words(written.lines)} {WHAT.format(zone=zone.key)}",
                ui.File(f"attachment://{written.path.name}"),
                small("Only you can see this."),
            )
        )
        await _show(interaction, panel, data, written.path.name)


def _line_words(lines: int) -> str:
    return "Nothing has moved yet." if not lines else "1 line." if lines == 1 else f"{lines:,} lines."


async def _show(interaction: discord.Interaction[Any], panel: Panel, data: bytes, name: str) -> None:
    file = discord.File(io.BytesIO(data), filename=name)
    await interaction.edit_original_response(
        view=panel, attachments=[file], allowed_mentions=discord.AllowedMentions.none()
    )


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, usage_command(bot.services, bot.catalog), export_command(bot.services))
