"""Questions that wait for an answer: confirmations before a job, offers of tools."""

from bot.storage.questions.confirmations import Confirmations
from bot.storage.questions.offers import Offers
