"""Several processes on one PostgreSQL: which of them serves which servers, and what that allows it to do."""

from bot.cluster.gates import arrived_at, discord_gate, studii_gate
from bot.cluster.membership import Membership
from bot.cluster.shared_membership import membership
from bot.cluster.wanted_shards import WantedShards
