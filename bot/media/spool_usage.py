"""The usage of the spool by server, and each server's share of it. Pure."""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

FOR_OUTPUTS = 0.2  # of the spool is reserved for outputs, which were paid for
# A server's files may take this many times the room that is left for photos: one server gets half of it, two
# a third each, and the next one always finds some.
SHARE = 1.0
HELD_SHARE = 0.25  # while Studii doesn't take the server's key
HELD_TOGETHER = 0.5  # of the room for photos: what all such servers have at most, if they came one by one
# Of all room: what results that could not be posted keep against photos; against results nothing.
KEPT_RESULTS_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Evictable:
    """Files that a job keeps in the spool, and that can be removed to make room.

    A photo can be, whose job is held and whose message has it too, or a result that could not be posted, and
    waits until its person fetches it. `is_elsewhere`: it can be fetched again, or Studii may still have it.
    """

    job_id: str
    guild_id: int
    size: int  # bytes
    is_elsewhere: bool = True


class SpoolUsage:
    """The sizes of present and expected files, by server. A claim identifies a file."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used = 0
        self._sizes: dict[Hashable, tuple[int, int]] = {}  # claim -> server, bytes
        self._servers: Counter[int] = Counter()

    def __contains__(self, claim: Hashable) -> bool:
        return claim in self._sizes

    @property
    def claims(self) -> list[Hashable]:
        return list(self._sizes)

    def size(self, claim: Hashable) -> int:
        return self._sizes.get(claim, (0, 0))[1]

    def put(self, claim: Hashable, guild_id: int, size: int) -> None:
        """Set the (expected) size of the claim's file in bytes."""
        self.drop(claim)
        self._sizes[claim] = guild_id, size
        self._servers[guild_id] += size
        self.used += size

    def resize(self, claim: Hashable, size: int) -> None:
        """Change the size of a claim's file in bytes. Does nothing for an unknown claim."""
        if claim in self._sizes:
            self.put(claim, self._sizes[claim][0], size)

    def drop(self, claim: Hashable) -> None:
        """Remove the claim."""
        if claim not in self._sizes:
            return
        guild_id, size = self._sizes.pop(claim)
        self.used -= size
        self._servers[guild_id] -= size
        if not self._servers[guild_id]:
            del self._servers[guild_id]

    def lacking_for_source(
        self, claim: Hashable, guild_id: int, size: int, *, held: bool, held_together: int = 0
    ) -> int:
        """Return how many bytes must go before a photo of `size` bytes may be kept, or 0 if it may be now.

        `held_together`: the bytes of other photos of all servers whose key is not taken.
        """
        before = self.size(claim)
        if held:
            most_held = int(self.max_bytes * (1 - FOR_OUTPUTS) * HELD_TOGETHER)
            if held_together + size > most_held:
                return held_together + size - most_held
        left = int(self.max_bytes * (1 - FOR_OUTPUTS)) - (self.used - before) - size
        own = self._servers[guild_id] - before
        if own <= 0:  # a server that has nothing here needs no share
            return max(0, -left)
        share = HELD_SHARE if held else SHARE
        return max(0, -left, int((own + size) / share) - left)

    def lacking_for_output(self, claim: Hashable, size: int) -> int:
        """Return the bytes that must be freed before an output of `size` bytes has room, 0 if it has."""
        return max(0, self.used - self.size(claim) + size - self.max_bytes)

    def left_for_output(self, claim: Hashable) -> int:
        """Return the bytes that an output may have now."""
        return max(0, self.max_bytes - self.used + self.size(claim))


def to_evict(files: Iterable[Evictable], lacking: int, *, spared: int = 0) -> list[Evictable]:
    """Return what makes room for `lacking` bytes; none if all together don't.

    The server that has most in them gives first: first what is elsewhere too, and of that in the order given.
    As many bytes as `spared` stay in any case.
    """
    by_server: dict[int, list[Evictable]] = {}
    for file in files:
        by_server.setdefault(file.guild_id, []).append(file)
    for theirs in by_server.values():
        theirs.sort(key=lambda file: not file.is_elsewhere)
    sums = {guild_id: sum(file.size for file in theirs) for guild_id, theirs in by_server.items()}
    giving: list[Evictable] = []
    while lacking > 0 and any(by_server.values()):
        guild_id = max((one for one in sums if by_server[one]), key=lambda one: sums[one])
        file = by_server[guild_id].pop(0)
        sums[guild_id] -= file.size
        lacking -= file.size
        giving.append(file)
    return giving if lacking <= 0 and sum(sums.values()) >= spared else []


@dataclass(slots=True)
class _Shortage:
    since: float
    last: float
    until: float
    freed: int = 0


class Shortages:
    """Servers whose photos find no room: since when, and until when they are not tried."""

    def __init__(self, forgotten_after: float) -> None:
        self._forgotten_after = forgotten_after
        self._servers: dict[int, _Shortage] = {}

    def refused(self, guild_id: int, now: float, pause: float) -> float:
        """Note that a photo found no room. Return for how many seconds none of the server's has."""
        short = self._servers.get(guild_id)
        if short is None or now - short.last > self._forgotten_after:
            short = self._servers[guild_id] = _Shortage(now, now, now)
        short.last, short.until = now, now + pause
        return now - short.since

    def granted(self, guild_id: int) -> None:
        """Note that a photo of the server found room."""
        self._servers.pop(guild_id, None)

    def freed(self) -> bool:
        """Note that room has become free: all may be tried again. Return whether any server lacks room."""
        for short in self._servers.values():
            short.until = short.last
            short.freed += 1
        return bool(self._servers)

    def times_freed(self, guild_id: int) -> int:
        """Return how often room has become free since the server's photos find none."""
        short = self._servers.get(guild_id)
        return 0 if short is None else short.freed

    def rests(self, guild_id: int, now: float) -> bool:
        """Return whether the server's photos are not tried now."""
        one = self._servers.get(guild_id)
        return one is not None and one.until > now

    def resting(self, now: float) -> list[int]:
        """Return the servers whose photos are not tried now."""
        old = now - self._forgotten_after
        self._servers = {guild_id: one for guild_id, one in self._servers.items() if one.last >= old}
        return [guild_id for guild_id, one in self._servers.items() if one.until > now]
