"""/help: the tools, and what one can do here. /studii panel: the same buttons, posted for everyone."""

from bot.client.bot import StudiiBot
from bot.languages import N_
from bot.ui.guide.help import show_help
from bot.ui.guide.panel import post_panel
from cogs.studii.group import Command, add_to_studii


async def setup(bot: StudiiBot) -> None:
    helping = N_("Show what you can do here, with buttons to start")
    bot.tree.add_command(Command(name="help", description=helping, callback=show_help))
    posting = N_("Post buttons for every tool in this channel, to be pinned")
    add_to_studii(bot, Command(name="panel", description=posting, callback=post_panel))
