"""Questions that wait for an answer: confirmations before a job."""

from bot.storage.questions.confirmations import Confirmations
