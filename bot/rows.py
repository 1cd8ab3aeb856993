"""All rows, in `metadata`: migrations create their tables, and a test compares the two.

Times are UTC, credits whole numbers, Discord's ids 64 bit.
"""

from importlib import import_module

from bot.base import metadata as metadata

# With what they import, these modules have all rows.
_MODULES = (
    "cluster",
    "credits.requests",
    "features.photo_rules",
    "features.styles",
    "features.words",
    "jobs.best_results",
    "jobs.confirm",
    "jobs.lanes",
    "jobs.answers",
    "posts",
    "servers.access",
)
for name in _MODULES:
    import_module(f"bot.{name}")
