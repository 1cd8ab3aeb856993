"""Rules about words and phrases in what people ask for."""

from bot.domain.words.rules import (
    MAX_RULE_CHARACTERS,
    MAX_WILDCARDS,
    MAX_WORD_RULES,
    WordEffect,
    WordMatcher,
    WordRefusal,
    WordRule,
    WordRuleError,
    catches_much,
    matcher_of,
    word_rule,
)
