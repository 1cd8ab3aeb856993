"""The tables. Migrations create them; a test compares the two.

Times are UTC, credits whole numbers, Discord's ids 64 bit.
"""

import bot.cluster
import bot.features.refusals
import bot.features.styles
import bot.servers.access  # their rows
from bot.base import metadata
from bot.storage.schema.best_results import OPEN_BEST, best_consents, best_results
from bot.storage.schema.guilds import guilds, holds, log_channels, posting_rules, posts, studii_keys
from bot.storage.schema.jobs import CARD_NEVER_SEEN, GOING_OR_DONE, NO_CARD_YET, SUPERSEDED_CARD, jobs
from bot.storage.schema.lanes import durations, lane_limits, lane_requests, meta
from bot.storage.schema.questions import confirmations, tappers
