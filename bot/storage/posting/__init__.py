"""How results are shown in servers' channels."""

from bot.storage.posting.rules import PostingRulings

__all__ = ["PostingRulings"]
