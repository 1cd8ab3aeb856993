"""Decide how results are shown in servers' channels."""

from bot.services.posting.best_results import BestService
from bot.services.posting.rules import PostingService
