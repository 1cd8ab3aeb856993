"""The buttons on the progress of a set."""

import asyncio
from dataclasses import replace
from re import Match
from typing import Self

import discord
from discord import ui

from bot.catalog import Tool
from bot.credits.prices import Estimate, price_of_all, short_price
from bot.errors import Refused
from bot.jobs import actions
from bot.jobs.decide import PricesRose
from bot.jobs.models import Job, JobState, SourcePhoto
from bot.languages import lazy, ngettext
from bot.ui.jobs.progress import follow_pressed
from bot.ui.jobs.results.buttons import JOB_GONE, PRIVATE_RESULT, terms_of
from bot.ui.jobs.sets.set_progress import CANCEL_SET, LABELS, RUN_SET_AGAIN
from bot.ui.jobs.start import start_once
from bot.ui.jobs.wording import again_price
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.first_answer import expect_job
from bot.ui.kit.host import Host, in_order
from bot.ui.kit.layout import GOING, boxed, row
from bot.ui.kit.responses import acknowledge, answer
from bot.ui.reading.permissions import ensure_stays_there, moderates, server_of
from bot.ui.reading.photo_lookup import source_of

NOTHING_TO_CANCEL = lazy("All of them were sent to Studii already. The results will arrive automatically.")
NOTHING_FAILED = lazy("None of them has failed. Nothing was started.")
SET_ERASED = lazy("The original request has expired. Start it again with the photos. Nothing was charged.")


class SetButton(
    LastingButton,
    template=rf"studii:set:(?P<action>{CANCEL_SET}|{RUN_SET_AGAIN}):(?P<set>[0-9a-f]{{16}})(?::(?P<each>[0-9]{{1,9}}))?",
):
    """Cancel those of a set that have not started, or run those that failed again.

    `each` is the price of one that the person has seen, if it isn't what the failed jobs were to cost.
    """

    def __init__(self, action: str, set_id: str, each: int | None, label: str | None = None) -> None:
        self._action = action
        self._set_id = set_id
        self._each = each
        custom_id = f"studii:set:{action}:{set_id}" + ("" if each is None else f":{each}")
        super().__init__(ui.Button(label=label or str(LABELS[action]), custom_id=custom_id))

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        return cls(match["action"], match["set"], None if match["each"] is None else int(match["each"]))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        if self._action == CANCEL_SET:
            await acknowledge(interaction)
            first = (await self._jobs(interaction, host))[0]
            await follow_pressed(interaction, host, first)
            await self._cancel(interaction, host, first)
            return
        with in_order(interaction):
            expect_job(interaction)
            jobs = await self._jobs(interaction, host)
            await self._run_again(interaction, host, [job for job in jobs if job.state is JobState.FAILED])

    async def _jobs(self, interaction: discord.Interaction, host: Host) -> list[Job]:
        jobs = await host.services.db.read(actions.of_set, self._set_id, server_of(interaction))
        if not jobs:
            raise Refused(JOB_GONE)
        if jobs[0].private and jobs[0].user_id != interaction.user.id:
            raise Refused(PRIVATE_RESULT)
        return jobs

    async def _cancel(self, interaction: discord.Interaction, host: Host, first: Job) -> None:
        may, by = moderates(interaction, first), interaction.user.id
        at = host.clock.now()
        cancelled = await host.services.db.write(
            actions.cancel_set, self._set_id, first.guild_id, by, at, moderates=may
        )
        if not cancelled:
            raise Refused(NOTHING_TO_CANCEL)

    async def _run_again(self, interaction: discord.Interaction, host: Host, failed: list[Job]) -> None:
        if not failed:
            raise Refused(NOTHING_FAILED)
        first = failed[0]
        ensure_stays_there(interaction, first)
        if any(job.scrubbed_at is not None for job in failed):
            raise Refused(SET_ERASED)
        now = host.clock.now()
        found = await asyncio.gather(*(source_of(interaction, job, now) for job in failed))
        photos: list[SourcePhoto] = [photo for photo in found if photo is not None]
        tool = host.catalog.get(first.tool)
        seen = max(again_price(job).amount for job in failed)
        terms = replace(terms_of(first, tool), shown_price=self._each or seen)
        try:
            await start_once(interaction, tool, first.inputs, photos, terms)
        except PricesRose as rose:
            await self._ask(interaction, tool, len(photos), rose.price)

    async def _ask(self, interaction: discord.Interaction, tool: Tool, count: int, price: Estimate) -> None:
        """Ask the person about a price above the one that they saw."""
        together = short_price(price_of_all([price] * count))
        run = ngettext("Run {count} photo", "Run {count} photos", count)
        button = SetButton(RUN_SET_AGAIN, self._set_id, price.amount, f"{run} · {together}")
        said = ngettext(
            "**{tool}** for {count} photo costs {price}. That's more than the price you saw. Start it?",
            "**{tool}** for {count} photos costs {price}. That's more than the price you saw. Start them?",
            count,
            tool=tool.title,
            price=together,
        )
        await answer(interaction, boxed(GOING, said, row(button)))
