"""The actions of people: one service for each subject, called by commands, forms and buttons."""

from bot.features.wording import (
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
from bot.services.acceptance.acceptance import AcceptanceService
from bot.services.acceptance.errors import ConfirmationNeeded, KeyHeld, PricesRose, Repeated
from bot.services.build import Services, build_services
from bot.services.jobs import JobPage, JobService
from bot.services.questions.confirmations import ConfirmationService, confirmed
