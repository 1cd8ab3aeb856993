"""What may be spent and what is left, as pure functions of settings, usage and time."""

from bot.credits.money import Estimate, estimate, left
from bot.credits.periods import time_zone, window

__all__ = ["Estimate", "estimate", "left", "time_zone", "window"]
