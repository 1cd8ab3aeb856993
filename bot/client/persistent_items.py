"""The buttons and menus that work for as long as their messages exist, also after a restart."""

from bot.ui.account.ask_for_credits import AskAdminButton
from bot.ui.admin.credits.credit_requests import AnswerButton
from bot.ui.admin.log import LogDeleteButton
from bot.ui.admin.moderation.requests import REQUEST_BUTTONS
from bot.ui.admin.moderation.results import RESULT_BUTTONS
from bot.ui.guide.help import HelpButton
from bot.ui.kit.buttons import LastingButton

LASTING_BUTTONS: tuple[type[LastingButton], ...] = (
    *REQUEST_BUTTONS,
    *RESULT_BUTTONS,
    HelpButton,
    LogDeleteButton,
    AskAdminButton,
    AnswerButton,
)
