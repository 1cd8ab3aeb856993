"""Show the best results in a channel of their own."""

from bot.services.posting.best_results import BestService
