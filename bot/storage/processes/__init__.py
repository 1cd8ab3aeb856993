"""What processes that share a PostgreSQL keep beside transactions, over connections of their own."""

from bot.storage.processes.deferrals import DeferralTable
from bot.storage.processes.processes import ProcessInfo, ProcessTable, ShardCounts
