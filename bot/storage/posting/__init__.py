"""Store how results are shown in servers' channels."""

from bot.storage.posting.best_results import BestResults
from bot.storage.posting.rules import PostingRulesByServer
