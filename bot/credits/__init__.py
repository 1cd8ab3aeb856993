"""What may be spent and what is left, as pure functions of settings, usage and time."""

from bot.credits.limits import Allowance, allowance, counted_since, next_start
from bot.credits.money import LEAST, Estimate, estimate, left
from bot.credits.periods import matching_zones, period_name, time_zone, window

__all__ = [
    "LEAST",
    "Allowance",
    "Estimate",
    "allowance",
    "counted_since",
    "estimate",
    "left",
    "matching_zones",
    "next_start",
    "period_name",
    "time_zone",
    "window",
]
