"""The repositories of questions to members."""

from bot.storage.questions.confirmations import Confirmations
from bot.storage.questions.credit_requests import CreditRequests

__all__ = ["Confirmations", "CreditRequests"]
