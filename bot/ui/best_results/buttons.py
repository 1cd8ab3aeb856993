"""The buttons with which a member lets their starred results be shown, or not."""

from re import Match
from typing import Self

import discord
from discord import ui

from bot.jobs.best_results import answer as answer_for_best
from bot.languages import gettext as _, lazy
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.host import Host
from bot.ui.kit.layout import GOOD, NEUTRAL, boxed
from bot.ui.kit.responses import acknowledge

STARS_AGREED = lazy(
    "Your starred results are shown from now on, with your name. Change it anytime with `/privacy`."
)
REFUSED = lazy(
    "Your results aren't shown, and those that were are removed. Change it anytime with `/privacy`."
)


class BestAnswerButton(LastingButton, template=r"studii:best:(?P<answer>yes|no)"):
    """Let the presser's results be shown, or not, in every server. What was chosen takes the question's
    place."""

    def __init__(self, *, agreed: bool) -> None:
        self._agreed = agreed
        label = _("Show my results") if agreed else _("Don't show them")
        style = discord.ButtonStyle.primary if agreed else discord.ButtonStyle.secondary
        custom_id = f"studii:best:{'yes' if agreed else 'no'}"
        super().__init__(ui.Button(label=label, style=style, custom_id=custom_id))

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        return cls(agreed=match["answer"] == "yes")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        await acknowledge(interaction)
        user_id, now = interaction.user.id, host.clock.now()
        await host.services.db.write(answer_for_best, user_id, now, agreed=self._agreed)
        said = str(STARS_AGREED if self._agreed else REFUSED)
        shown = boxed(GOOD if self._agreed else NEUTRAL, said)
        await interaction.edit_original_response(view=shown)
