"""The buttons and menus that work for as long as their messages exist, also after a restart."""

from bot.ui.account.ask_for_credits import AskAdminButton
from bot.ui.account.forget_me import ForgetMeButton
from bot.ui.account.privacy import PhotoUseButton
from bot.ui.admin.credits.credit_requests import AnswerButton
from bot.ui.admin.held_key import TryAgainButton
from bot.ui.admin.log import LogDeleteButton
from bot.ui.admin.moderation.requests import REQUEST_BUTTONS
from bot.ui.admin.moderation.results import RESULT_BUTTONS
from bot.ui.admin.setup.panel import SetupButton
from bot.ui.best_results.buttons import BestAnswerButton
from bot.ui.guide.help import HelpButton
from bot.ui.jobs.confirmation import ConfirmButton
from bot.ui.jobs.forms.tool_picker import OpenToolButton
from bot.ui.jobs.listing.buttons import LIST_BUTTONS, LIST_SELECTS
from bot.ui.jobs.mention import MentionButton
from bot.ui.jobs.progress import CancelButton
from bot.ui.jobs.results.buttons import BUTTONS
from bot.ui.jobs.results.unknown_outcomes import RULING_BUTTONS
from bot.ui.jobs.sets.buttons import SetButton
from bot.ui.jobs.sets.menu import SET_BUTTONS, PictureMenu
from bot.ui.kit.buttons import LastingButton
from bot.ui.styles.defaults import DefaultsButton
from bot.ui.styles.panel import StyleButton
from bot.ui.styles.saving import SaveStyleButton

LASTING_BUTTONS: tuple[type[LastingButton], ...] = (
    CancelButton,
    *BUTTONS,
    *LIST_BUTTONS,
    *RULING_BUTTONS,
    *REQUEST_BUTTONS,
    *RESULT_BUTTONS,
    TryAgainButton,
    OpenToolButton,
    HelpButton,
    MentionButton,
    SetButton,
    SaveStyleButton,
    StyleButton,
    DefaultsButton,
    *SET_BUTTONS,
    LogDeleteButton,
    SetupButton,
    PhotoUseButton,
    BestAnswerButton,
    ForgetMeButton,
    ConfirmButton,
    AskAdminButton,
    AnswerButton,
)
LASTING_MENUS = (*LIST_SELECTS, PictureMenu)
