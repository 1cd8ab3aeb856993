"""Store which results are shown as the best."""

from bot.storage.posting.best_results import BestResults
