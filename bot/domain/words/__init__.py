"""Rules about words and phrases in what people ask for."""

from bot.domain.words.matching import WordMatcher, matcher_of
from bot.domain.words.word_rules import (
    MAX_RULE_CHARACTERS,
    MAX_WILDCARDS,
    MAX_WORD_RULES,
    WordEffect,
    WordRefusal,
    WordRule,
    WordRuleError,
    catches_much,
    word_rule,
)
