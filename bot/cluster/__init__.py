"""Several processes on one PostgreSQL: which of them serves which servers, and what that allows it to do."""

from bot.cluster.gates import discord_gate, studii_gate
from bot.cluster.member import Membership, Wanted, membership

__all__ = ["Membership", "Wanted", "discord_gate", "membership", "studii_gate"]
