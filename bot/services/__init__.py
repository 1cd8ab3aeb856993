"""The actions of people: one service for each subject, called by commands, forms and buttons."""

from bot.domain.periods import matching_zones
from bot.services.acceptance.acceptance import AcceptanceService
from bot.services.acceptance.errors import ConfirmationNeeded, KeyHeld, PricesRose, Repeated
from bot.services.access import MAX_BLOCK_HOURS, MAX_BLOCK_REASON_CHARACTERS, AccessChange, block_words
from bot.services.build import Services, build_services
from bot.services.credits.budgets import MAX_BUDGET, BudgetState, price_words, short_price_words
from bot.services.credits.credits import MemberCredits
from bot.services.credits.export import LEDGER_HEADINGS, export_folder, write_ledger
from bot.services.credits.prices import OtherPrice, PriceTable, ToolPrice
from bot.services.credits.usage import UsageReport, UsageService
from bot.services.jobs import JobPage, JobService
from bot.services.keys import Lowered
from bot.services.languages import LanguageService
from bot.services.limits import MAX_AT_ONCE, GrantState, LimitChanges, LimitService, MemberState, rate_words
from bot.services.moderation.approvals import MAX_DECLINE_REASON_CHARACTERS, ApprovalChanges, Approver
from bot.services.moderation.refusals import MAX_PAUSE_HOURS, MAX_REFUSALS, RefusalService
from bot.services.moderation.words import AddedRule
from bot.services.photo_rules import Tap
from bot.services.privacy import Erasable, Erased, PrivacyService
from bot.services.questions.confirmations import ConfirmationService, confirmed
from bot.services.wording import (
    NO_KEY,
    PERIOD_CHOICES,
    count_words,
    credit_words,
    discord_timestamp,
    each_period_words,
    job_words,
    renewal_message,
    size_words,
)
