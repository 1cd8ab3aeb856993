"""Store what moderators decide: rules about words, and refusals."""

from bot.storage.moderation.refusals import Refusals
from bot.storage.moderation.words import WordRules, word_rules_of
