"""/forget-me: what is erased and what stays, and the buttons that do it."""

import discord
from discord import ui

from bot.features.wording import job_words
from bot.languages import gettext as _, lazy, plazy, sentences
from bot.servers.privacy import erase_member
from bot.ui.kit.buttons import LastingButton
from bot.ui.kit.host import Host
from bot.ui.kit.layout import GOOD, NEUTRAL, UNSURE, Panel, boxed, lines, row, rule, small
from bot.ui.kit.responses import acknowledge, answer_in_place
from bot.ui.reading.permissions import server_of

THIS_SERVER, EVERY_SERVER, KEEP_DATA = "here", "everywhere", "not"
ERASE_LABELS = {
    THIS_SERVER: plazy("button", "Erase in this server"),
    EVERY_SERVER: plazy("button", "Erase in every server"),
    KEEP_DATA: plazy("button", "Keep my data"),
}

# Without jobs, and with some.
_ERASED_HERE = (
    lazy("Your data in this server is erased. You had no jobs to erase."),
    # Translators: “jobs” is, for example, “3 jobs”.
    lazy("Your data in this server is erased: prompts, links and pictures of {jobs}."),
)
_ERASED_EVERYWHERE = (
    lazy("Your data in every server is erased. You had no jobs to erase."),
    # Translators: “jobs” is, for example, “3 jobs”.
    lazy("Your data in every server is erased: prompts, links and pictures of {jobs}."),
)


def ask_to_forget_me(here: int, everywhere: int) -> Panel:
    """Return what would be erased, of so many jobs, and what stays, with a button for each way."""
    if not everywhere:
        count = str(
            lazy(
                "You have no jobs to erase, in any server. Your styles, defaults and grants can still be "
                "erased."
            )
        )
    elif not here:
        # Translators: “everywhere” is, for example, “3 jobs”.
        count = _(
            "You have no jobs to erase in this server, and **{everywhere}** in every server with this bot.",
            everywhere=job_words(everywhere),
        )
    else:
        # Translators: “here” and “everywhere” are, for example, “3 jobs”.
        count = _(
            "Your data here: **{here}** in this server, **{everywhere}** in every server with this bot.",
            here=job_words(here),
            everywhere=job_words(everywhere),
        )
    return boxed(
        UNSURE,
        lines(f"### 🧹 {_('Erase your data?')}", count),
        rule(),
        lazy(
            "**Erased:** your prompts, inputs, links and kept pictures, these jobs in your `/jobs`, your "
            "own styles and defaults, and the language stored for you. Running jobs are erased when they're "
            "done. Your results in channels for the best are removed, and links to those stop working."
        ),
        lazy(
            "**Stays:** the cost of your jobs in the server's totals; your name is removed from it when the "
            "budget's period ends. Limits and blocks that admins set for you, and your `/privacy` setting. "
            "The server's styles, without your name and your pictures. Results in channels, and links to "
            "them, until you delete them there. Your data at Studii."
        ),
        small(_("This can't be undone.")),
        row(*map(ForgetMeButton, ERASE_LABELS)),
    )


def forgotten_panel(now: int, later: int, where: str) -> Panel:
    """Return of how many jobs something was erased, and will be."""
    words = (_ERASED_HERE if where == THIS_SERVER else _ERASED_EVERYWHERE)[now > 0]
    running = _("Still running, and erased when done: {jobs}.", jobs=job_words(later)) if later else ""
    stays = _("Messages in channels and your data at Studii stay. Delete them there.")
    return boxed(GOOD, sentences(words.using(jobs=job_words(now)), running, stays))


class ForgetMeButton(
    LastingButton, template=rf"studii:forgetme:(?P<where>{THIS_SERVER}|{EVERY_SERVER}|{KEEP_DATA})"
):
    """Erase the presser's own data, or not. What was done takes the place of the question."""

    def __init__(self, where: str) -> None:
        self._where = where
        style = discord.ButtonStyle.secondary if where == KEEP_DATA else discord.ButtonStyle.danger
        label = str(ERASE_LABELS[where])
        super().__init__(ui.Button(label=label, style=style, custom_id=f"studii:forgetme:{where}"))

    async def pressed(self, interaction: discord.Interaction, host: Host) -> None:
        if self._where == KEEP_DATA:
            await answer_in_place(interaction, boxed(NEUTRAL, lazy("Nothing was erased.")))
            return
        guild_id = server_of(interaction)
        await acknowledge(interaction)
        where = guild_id if self._where == THIS_SERVER else None
        user_id, services = interaction.user.id, host.services
        host.readers.forget(user_id)
        erased = await erase_member(services.db, services.discard, user_id, host.clock.now(), where)
        await interaction.edit_original_response(view=forgotten_panel(*erased, self._where))
