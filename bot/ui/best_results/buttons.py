"""The buttons with which a member lets their starred results be shown, or not."""

from typing import Any, Literal

import discord
from discord import ui

from bot.jobs.best_results import answer as answer_for_best
from bot.languages import gettext as _, lazy
from bot.ui.kit.layout import GOOD, NEUTRAL, boxed
from bot.ui.kit.responses import acknowledge
from bot.ui.panels.controls import Press, button

STARS_AGREED = lazy(
    "Your starred results are shown from now on, with your name. Change it anytime with `/settings`."
)
REFUSED = lazy(
    "Your results aren't shown, and those that were are removed. Change it anytime with `/settings`."
)


@button("best:{wish}")
async def best_answer(press: Press, wish: Literal["yes", "no"]) -> None:
    """Let the presser's results be shown, or not, in every server. What was chosen takes the question's
    place."""
    await acknowledge(press.interaction)
    user_id, now, agreed = press.interaction.user.id, press.host.clock.now(), wish == "yes"
    await press.host.services.db.write(answer_for_best, user_id, now, agreed=agreed)
    said = str(STARS_AGREED if agreed else REFUSED)
    await press.interaction.edit_original_response(view=boxed(GOOD if agreed else NEUTRAL, said))


def answer_button(*, agreed: bool) -> ui.Button[Any]:
    """Return the button with which the maker agrees, or refuses."""
    if agreed:
        return best_answer.looking(label=_("Show my results"), style=discord.ButtonStyle.primary).of("yes")
    return best_answer.looking(label=_("Don't show them")).of("no")
