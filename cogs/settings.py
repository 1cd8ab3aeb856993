"""/settings: a member's own pictures, defaults and data."""

from bot.client.bot import StudiiBot
from bot.languages import N_
from bot.ui.settings.mine import MINE
from cogs.studii.panels import panel_command


async def setup(bot: StudiiBot) -> None:
    about = N_("Who can use your photos, your defaults for each tool, and erasing your data")
    bot.tree.add_command(panel_command(MINE.name, about))
