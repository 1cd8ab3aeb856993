"""What moderators decide: rules about words."""

from bot.storage.moderation.words import WordRules, word_rules_of

__all__ = ["WordRules", "word_rules_of"]
