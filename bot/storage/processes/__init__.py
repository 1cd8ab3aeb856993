"""Keep what processes that share a PostgreSQL have beside transactions, over connections of their own."""

from bot.storage.processes.deferrals import DeferralTable
from bot.storage.processes.processes import ProcessTable, ShardCounts
