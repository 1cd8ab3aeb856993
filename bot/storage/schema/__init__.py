"""The tables. Migrations create them; a test compares the two.

Times are UTC, credits whole numbers, Discord's ids 64 bit.
"""

import bot.cluster
import bot.features.refusals
import bot.features.styles
import bot.jobs.confirm
import bot.servers.access  # their rows
from bot.base import metadata
from bot.jobs.models import jobs
from bot.storage.schema.best_results import OPEN_BEST, best_consents, best_results
from bot.storage.schema.guilds import guilds, meta, posting_rules, posts
