"""What people can do: one service for each subject, called by commands, forms and buttons."""

from dataclasses import dataclass

from bot.credits import matching_zones
from bot.services.access import AccessService
from bot.services.budgets import MAX_BUDGET, BudgetState, price_words
from bot.services.commands import CommandRegistry
from bot.services.credits import CreditService, MemberCredits, ToolPrice
from bot.services.export import export_folder, write_ledger
from bot.services.insight import InsightService, UsageReport
from bot.services.jobs import CANCELLABLE, JobPage, JobService, Repeated
from bot.services.keys import KeyService
from bot.services.limits import MAX_AT_ONCE, GrantState, LimitService, MemberState, rate_words
from bot.services.logs import LogService
from bot.services.photos import PhotoService, Tap, prepared
from bot.services.privacy import Erased, PrivacyService
from bot.services.rulings import RulingService
from bot.services.servers import Forgotten, ServerService
from bot.services.words import credit_words, discord_timestamp, size_words

__all__ = [
    "CANCELLABLE",
    "MAX_AT_ONCE",
    "MAX_BUDGET",
    "AccessService",
    "BudgetState",
    "CommandRegistry",
    "CreditService",
    "Erased",
    "Forgotten",
    "GrantState",
    "InsightService",
    "JobPage",
    "JobService",
    "KeyService",
    "LimitService",
    "LogService",
    "MemberCredits",
    "MemberState",
    "PhotoService",
    "PrivacyService",
    "Repeated",
    "RulingService",
    "ServerService",
    "Services",
    "Tap",
    "ToolPrice",
    "UsageReport",
    "credit_words",
    "discord_timestamp",
    "export_folder",
    "matching_zones",
    "prepared",
    "price_words",
    "rate_words",
    "size_words",
    "write_ledger",
]


@dataclass(frozen=True, slots=True)
class Services:
    """All services, as the composition root builds them."""

    jobs: JobService
    keys: KeyService
    credits: CreditService
    commands: CommandRegistry
    servers: ServerService
    privacy: PrivacyService
    access: AccessService
    logs: LogService
    limits: LimitService
    insight: InsightService
    photos: PhotoService
    rulings: RulingService
