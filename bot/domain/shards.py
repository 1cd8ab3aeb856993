"""Discord's shards: which servers this process serves."""

from dataclasses import dataclass

# https://discord.com/developers/docs/events/gateway#sharding
SHARD_BITS = 22
DIRECT_MESSAGES = 0  # the shard of direct messages; its holder does what is the whole bot's, too


def shard_of(guild_id: int, count: int) -> int:
    """Return the shard that a server belongs to if there are `count` shards."""
    return (guild_id >> SHARD_BITS) % count


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards that a process holds, of `count`. The default are all of one."""

    count: int = 1
    held: frozenset[int] = frozenset({DIRECT_MESSAGES})

    @property
    def all(self) -> bool:
        return len(self.held) >= self.count

    @property
    def whole_bot(self) -> bool:
        """Return whether this process does what belongs to no server, such as registering commands."""
        return DIRECT_MESSAGES in self.held

    def has(self, guild_id: int) -> bool:
        """Return whether the server belongs to one of the held shards."""
        return shard_of(guild_id, self.count) in self.held

    def __str__(self) -> str:
        return ",".join(str(one) for one in sorted(self.held)) or "-"
