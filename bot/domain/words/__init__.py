"""Rules about words and phrases in what people ask for."""

from bot.domain.words.matching import WordMatcher, matcher_of
from bot.domain.words.rules import (
    LONGEST_RULE,
    MOST_RULES,
    MOST_WILDCARDS,
    WordEffect,
    WordRefusal,
    WordRule,
    WordRuleError,
    catches_much,
    word_rule,
)

__all__ = [
    "LONGEST_RULE",
    "MOST_RULES",
    "MOST_WILDCARDS",
    "WordEffect",
    "WordMatcher",
    "WordRefusal",
    "WordRule",
    "WordRuleError",
    "catches_much",
    "matcher_of",
    "word_rule",
]
