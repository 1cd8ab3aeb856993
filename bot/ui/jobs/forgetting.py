"""/forget-me: what is erased and what stays, and the buttons that do it."""

from typing import Any, Self

import discord
from discord import ui

from bot.services import Erasable, Erased, job_words
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.host import Host
from bot.ui.kit.layout import GOOD, NEUTRAL, UNSURE, Panel, Piece, box, row, rule, sentence_panel, small
from bot.ui.reading.permissions import server_of

THIS_SERVER, EVERY_SERVER, KEEP_DATA = "here", "everywhere", "not"
ERASE_LABELS = {
    THIS_SERVER: "Erase in this server",
    EVERY_SERVER: "Erase in every server",
    KEEP_DATA: "Keep my data",
}
GOES = (
    "**Erased:** your prompts, inputs, links and kept pictures, these jobs in your `/jobs`, and your own "
    "styles and defaults. Running jobs are erased when they're done. Your "
    "results in channels for the best are removed, and links to those stop working."
)
STAYS = (
    "**Stays:** the cost of your jobs in the server's totals; your name is removed from it when the "
    "budget's period ends. Limits and blocks that admins set for you, and your `/privacy` setting. The "
    "server's styles, without your name and your pictures. Results in channels, and links to them, until you "
    "delete them there. Your data at Studii."
)
NOTHING_ERASED = "Nothing was erased."
NOTHING_TO_ERASE = (
    "There are no jobs of yours to erase, in any server. Your styles, defaults and grants can still be "
    "erased."
)


def ask_to_forget_me(erasable: Erasable) -> Panel:
    """Return what would be erased and what stays, with a button for each way."""
    here, everywhere = job_words(erasable.here), job_words(erasable.everywhere)
    count = f"Your data here: **{here}** in this server, **{everywhere}** in every server with this bot."
    buttons: list[Piece] = [
        ForgetMeButton(THIS_SERVER),
        ForgetMeButton(EVERY_SERVER),
        ForgetMeButton(KEEP_DATA),
    ]
    return Panel(
        box(
            UNSURE,
            f"### 🧹 Erase your data?\n{count if erasable.everywhere else NOTHING_TO_ERASE}",
            rule(),
            GOES,
            STAYS,
            small("This can't be undone."),
            row(*buttons),
        )
    )


def forgotten_panel(erased: Erased, where: str) -> Panel:
    """Return what was erased."""
    place = "in this server" if where == THIS_SERVER else "in every server"
    words = [f"Your data {place} is erased: prompts, links and pictures of {job_words(erased.now)}."]
    if erased.later:
        words.append(f"Still running, and erased when done: {job_words(erased.later)}.")
    words.append("Messages in channels and your data at Studii stay. Delete them there.")
    return sentence_panel(" ".join(words), GOOD)


class ForgetMeButton(
    LastingButton, template=rf"studii:forgetme:(?P<where>{THIS_SERVER}|{EVERY_SERVER}|{KEEP_DATA})"
):
    """Erase the presser's own data, or not. What was done takes the place of the question."""

    def __init__(self, where: str) -> None:
        self._where = where
        style = discord.ButtonStyle.secondary if where == KEEP_DATA else discord.ButtonStyle.danger
        super().__init__(
            ui.Button(label=ERASE_LABELS[where], style=style, custom_id=f"studii:forgetme:{where}")
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(match["where"])

    async def pressed(self, interaction: discord.Interaction[Any], host: Host) -> None:
        if self._where == KEEP_DATA:
            await interaction.response.edit_message(view=sentence_panel(NOTHING_ERASED, NEUTRAL))
            return
        guild_id = server_of(interaction)
        await interaction.response.defer()  # erasing may take a while
        erased = await host.services.privacy.forget_member(
            interaction.user.id, guild_id if self._where == THIS_SERVER else None
        )
        await interaction.edit_original_response(view=forgotten_panel(erased, self._where))
