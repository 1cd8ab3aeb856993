"""/help: the tools, and what one can do here."""

from bot.client.bot import StudiiBot
from bot.languages import N_
from bot.ui.guide.help import show_help
from cogs.studii.group import Command


async def setup(bot: StudiiBot) -> None:
    helping = N_("Show what you can do here, with buttons to start")
    bot.tree.add_command(Command(name="help", description=helping, callback=show_help))
