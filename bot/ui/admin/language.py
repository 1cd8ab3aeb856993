"""Show admins their server's language."""

import discord

from bot.domain.guilds import ServerLanguage
from bot.languages import gettext as _
from bot.ui.kit.layout import NEUTRAL, Panel, boxed, lines, small
from bot.ui.reading.languages import community_language, server_language


def language_panel(chosen: ServerLanguage, guild: discord.Guild | None) -> Panel:
    """Return the language of what the server's channels show, why it is that, and what it applies to."""
    return boxed(
        NEUTRAL,
        f"### 🌐 {_('Language')}",
        lines(f"**{server_language(chosen, guild).own_name}**", _why(chosen, guild)),
        lines(
            _("Results and warnings in channels are in this language."),
            _("Private answers are in the language of each person's Discord app."),
        ),
        small(_("Takes effect immediately. Messages that are already posted stay as they are.")),
    )


def language_line(chosen: ServerLanguage, guild: discord.Guild | None) -> str:
    """Return the line about the language in the setup's panel."""
    language = server_language(chosen, guild).own_name
    if chosen.chosen is not None:
        return _("✅ **Language**: {language}", language=language)
    return _("✅ **Language**: {language}. Change it with `/studii language`", language=language)


def _why(chosen: ServerLanguage, guild: discord.Guild | None) -> str:
    if chosen.chosen is not None:
        return _("Chosen with `/studii language`. **Automatic** follows Discord again.")
    if community_language(guild) is not None:
        return _("From this Community server's primary language in Discord.")
    if chosen.of_admin is not None:
        return _(
            "From the Discord app of the admin who set up the bot. Choose another with `/studii language`."
        )
    return _("The default. Choose another with `/studii language`.")
