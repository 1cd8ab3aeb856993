"""/studii channel: where and how results appear."""

from typing import Any, Literal

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.errors import Refused
from bot.features import posting
from bot.features.posting import PostingRules
from bot.jobs.best_results import MAX_STARS
from bot.languages import N_, lazy
from bot.services import Services
from bot.ui.admin.posting import channel_panel
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import ensure_can_post_in, server_of
from cogs.studii.group import Command, add_to_studii, function_command

ONE_PLACE = lazy("Choose one: a channel for results, threads, or `here:True`. Nothing was changed.")

ON_OR_OFF = lazy("Choose one: a channel for the best results, or `stars:0`. Nothing was changed.")
NO_BEST_CHANNEL = lazy("Choose the channel for the best results as well, under `best`. Nothing was changed.")
_DESCRIPTION = N_("Show or set where and how results appear in this server")


# Long: each option with its words and its values.
def channel_command(services: Services) -> Command:
    """Build `/studii channel`."""

    @function_command(name="channel", description=_DESCRIPTION)
    @app_commands.describe(
        results=N_("Post all results in this channel"),
        threads=N_("Post each result in a thread under its photo"),
        here=N_("Post results in the channel where the command was used"),
        compare=N_("How the photo is shown beside a result made from it"),
        best=N_("Also show results that members star with ⭐ here, if their makers agree"),
        stars=N_("How many members have to star a result; 0 turns it off"),
    )
    @app_commands.choices(
        compare=[
            app_commands.Choice(name=N_("pair: the photo before"), value="pair"),
            app_commands.Choice(
                name=N_("split: also one picture, half before and half after"), value="split"
            ),
        ],
    )
    async def channel(
        interaction: discord.Interaction,
        results: discord.TextChannel | discord.Thread | None = None,
        threads: bool | None = None,
        here: bool = False,
        compare: Literal["pair", "split"] | None = None,
        best: discord.TextChannel | discord.Thread | None = None,
        stars: app_commands.Range[int, 0, MAX_STARS] | None = None,
    ) -> None:
        guild_id = server_of(interaction)
        if sum((results is not None, threads is True, here)) > 1:
            raise Refused(ONE_PLACE)
        changes: dict[str, Any] = {}
        if compare is not None:
            changes["splits"] = compare == "split"
        if results is not None:
            ensure_can_post_in(results)
            changes |= {"results_channel_id": results.id, "in_threads": False}
        elif threads:
            changes |= {"results_channel_id": None, "in_threads": True}
        elif here:
            changes |= {"results_channel_id": None, "in_threads": False}
        elif threads is False:
            changes["in_threads"] = False
        changes |= _best_changes(await services.db.read(posting.of, guild_id), best, stars)
        rules = await services.db.write(posting.change, guild_id, **changes)
        await answer(interaction, channel_panel(rules, changed=bool(changes)))

    return channel


def _best_changes(
    rules: PostingRules,
    best: discord.TextChannel | discord.Thread | None,
    stars: int | None,
) -> dict[str, Any]:
    """Return what changes of the channel for the best results."""
    if stars == 0:
        if best is not None:
            raise Refused(ON_OR_OFF)
        return {"best_channel_id": None}
    changes: dict[str, Any] = {} if stars is None else {"best_stars": stars}
    if best is not None:
        ensure_can_post_in(best)
        changes["best_channel_id"] = best.id
    elif stars is not None and rules.best_channel_id is None:
        raise Refused(NO_BEST_CHANNEL)
    return changes


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, channel_command(bot.services))
