"""The repositories of questions to members."""

from bot.storage.questions.confirmations import Confirmations
from bot.storage.questions.credit_requests import CreditRequests
from bot.storage.questions.offers import Offers
