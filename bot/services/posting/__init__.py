"""How results are shown in servers' channels."""

from bot.services.posting.rules import PostingService

__all__ = ["PostingService"]
