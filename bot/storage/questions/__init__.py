"""The repositories of questions to members."""

from bot.storage.questions.confirmations import Confirmations

__all__ = ["Confirmations"]
