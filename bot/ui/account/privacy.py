"""The panel of `/privacy`: what others may do with a member's pictures."""

from re import Match
from typing import Self

import discord
from discord import ui

from bot.db import COMMAND_WRITE_TIMEOUT
from bot.jobs.best_results import consent
from bot.languages import gettext as _, lazy
from bot.servers import access
from bot.services import Services
from bot.ui.best_results.buttons import answer_button
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.host import Host
from bot.ui.kit.layout import GOOD, NEUTRAL, Panel, boxed, row, rule, small
from bot.ui.kit.responses import acknowledge

_REFUSED = lazy("No one else can use the tools on your photos, in any server with this bot.")
_ALLOWED = lazy("Others can use the tools on photos you post, within the rules of each server.")
_SHOWN = lazy(
    "Results that members star with ⭐ can be shown in a server's channel for the best, with your name. They "
    "are removed from there when you change this, delete them, or use `/forget-me`."
)
_NOT_SHOWN = lazy(
    "Your results aren't shown in a server's channel for the best, even if members star them with ⭐."
)
_KEPT = lazy(
    "The bot also keeps your jobs (`/jobs`), and your styles and defaults (`/styles`, `/defaults`) in each "
    "server. `/forget-me` erases them."
)


async def privacy_panel_for(services: Services, user_id: int) -> Panel:
    """Return what others may do with the member's pictures, and how to change it."""
    refuses = bool(await services.db.read(access.refusing_photos, [user_id]))
    answered = await services.db.read(consent, user_id)
    shown = None if answered is None else answered.agreed
    return boxed(
        GOOD if refuses else NEUTRAL,
        f"### 🖼️ {_('Your photos')}\n{_REFUSED if refuses else _ALLOWED}",
        row(PhotoUseButton(allow=refuses)),
        small(_KEPT),
        rule(),
        f"### ⭐ {_('Your starred results')}\n{_SHOWN if shown else _NOT_SHOWN}",
        row(answer_button(agreed=not shown)),
    )


class PhotoUseButton(LastingButton, template=r"studii:photos:(?P<allow>allow|forbid)"):
    """Let others use the presser's photos, or not, in every server. The panel then shows it."""

    def __init__(self, *, allow: bool) -> None:
        self._allow = allow
        label = _("Let others use them") if allow else _("Don't let others use them")
        custom_id = f"studii:photos:{'allow' if allow else 'forbid'}"
        super().__init__(ui.Button(label=label, style=discord.ButtonStyle.primary, custom_id=custom_id))

    @classmethod
    def of_match(cls, match: Match[str]) -> Self:
        return cls(allow=match["allow"] == "allow")

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        db, now, user_id = host.services.db, host.services.clock.now(), interaction.user.id
        await acknowledge(interaction)
        await db.write(
            access.refuse_photos, user_id, now, refuses=not self._allow, within=COMMAND_WRITE_TIMEOUT
        )
        await interaction.edit_original_response(view=await privacy_panel_for(host.services, user_id))
