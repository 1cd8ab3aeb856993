"""Several processes on one PostgreSQL: which of them serves which servers, and what that allows it to do."""

from bot.cluster.gates import discord_gate, studii_gate
from bot.cluster.member import membership
from bot.cluster.membership import Membership
from bot.cluster.wanted_shards import WantedShards
