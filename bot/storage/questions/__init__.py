"""Questions that wait for an answer: confirmations before a job, requests for credits, offers of tools."""

from bot.storage.questions.confirmations import Confirmations
from bot.storage.questions.credit_requests import CreditRequests
from bot.storage.questions.offers import Offers
