"""Sessions of the gateway: who may identify, which events a session gets, and what is replayed to it.

https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

MESSAGE_CONTENT = 1 << 15
KNOWN_INTENTS = (1 << 26) - 1 & ~(0b111 << 17) & ~(1 << 22 | 1 << 23)
_INTENTS: Mapping[str, int] = {  # in servers, in direct messages: bits
    "MESSAGE_CREATE": 1 << 9 | 1 << 12,
    "MESSAGE_UPDATE": 1 << 9 | 1 << 12,
    "MESSAGE_DELETE": 1 << 9 | 1 << 12,
    "MESSAGE_REACTION_ADD": 1 << 10 | 1 << 13,
    "MESSAGE_REACTION_REMOVE": 1 << 10 | 1 << 13,
    "GUILD_MEMBER_UPDATE": 1 << 1,
    **dict.fromkeys(("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE", "GUILD_ROLE_UPDATE"), 1 << 0),
    **dict.fromkeys(("CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE"), 1 << 0),
    **dict.fromkeys(("THREAD_CREATE", "THREAD_UPDATE", "THREAD_DELETE"), 1 << 0),
}
_FOR_SERVERS, _FOR_DMS = (1 << 12) - 1, 1 << 12 | 1 << 13 | 1 << 14
REPLAYED = 5000  # events that a session can miss

AUTHENTICATION_FAILED, INVALID_SEQ, TIMED_OUT = 4004, 4007, 4009
INVALID_SHARD, SHARDING_REQUIRED, INVALID_INTENTS, DISALLOWED_INTENTS = 4010, 4011, 4013, 4014


class Closed(Exception):
    """The gateway closes the connection with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass
class Session:
    """One session. `log` are its last events with their numbers; `news` is set when one comes."""

    shard: int
    shards: int
    intents: int
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    number: int = 0
    log: deque[tuple[int, str]] = field(default_factory=lambda: deque[tuple[int, str]](maxlen=REPLAYED))
    news: asyncio.Event = field(default_factory=asyncio.Event)
    owner: object | None = None  # the connection that it is served by
    left_at: float = 0.0

    @property
    def connected(self) -> bool:
        return self.owner is not None

    def add(self, name: str, data: Mapping[str, Any]) -> None:
        """Add an event, with the next number."""
        self.number += 1
        text = json.dumps({"op": 0, "t": name, "s": self.number, "d": data})
        self.log.append((self.number, text))
        self.news.set()

    def hears(self, name: str, shard_of: int | None, *, in_dm: bool) -> bool:
        """Return whether the session gets such an event."""
        if shard_of is not None and shard_of != self.shard:
            return False
        needed = _INTENTS.get(name)
        return needed is None or bool(self.intents & needed & (_FOR_DMS if in_dm else _FOR_SERVERS))

    def since(self, number: int) -> Sequence[tuple[int, str]]:
        """Return the events after that one, in order."""
        return list(takewhile(lambda one: one[0] > number, reversed(self.log)))[::-1]


@dataclass
class Rules:
    """How the gateway behaves. Times are seconds.

    `shards`: how many it recommends; `most_guilds`: of a shard, more need sharding. `identify_every`: between
    two IDENTIFYs of a bucket; `identifies`: how many there are in a day. `resume_for`: how long it keeps what
    a session missed. `twice`: how many events that were sent are sent again with those that were missed.
    """

    shards: int = 1
    max_concurrency: int = 1
    identify_every: float = 5.0
    identifies: int = 1000
    most_guilds: int = 2500
    resume_for: float = 180.0
    heartbeat: float = 41.25
    acknowledges: bool = True
    twice: int = 0


class Sessions:
    """All sessions, and the limits of their beginnings."""

    def __init__(self, rules: Rules, now: Callable[[], float] = time.monotonic) -> None:
        self.rules = rules
        self.token_reset = False
        self._now = now
        self._sessions: dict[str, Session] = {}
        self._identified: deque[tuple[float, int]] = deque()  # when, and which bucket
        self.used = 0

    @property
    def all(self) -> Sequence[Session]:
        return tuple(self._sessions.values())

    def identify(
        self, data: Mapping[str, Any], allowed: int, guilds_of: Callable[[int, int], int]
    ) -> Session | None:
        """Begin a session.

        None if it came too soon after another of its bucket. `allowed` are the privileged intents that the
        application has. Raises `Closed`.
        """
        shard, shards = data.get("shard") or (0, 1)
        intents = int(data["intents"])
        self._ensure_valid(shard, shards, intents, allowed, guilds_of)
        bucket, now = shard % self.rules.max_concurrency, self._now()
        too_soon = any(
            one == bucket and now - when < self.rules.identify_every for when, one in self._identified
        )
        self.used += 1
        if self.used > self.rules.identifies:
            self.token_reset = True
            raise Closed(AUTHENTICATION_FAILED)
        if too_soon:
            return None
        self._identified.append((now, bucket))
        if len(self._identified) > 1000:
            self._identified.popleft()
        session = Session(shard, shards, intents)
        self._sessions[session.id] = session
        return session

    def resume(self, session_id: str, number: int) -> Session | None:
        """Return the session that goes on after that event, or None if it can't."""
        session = self._sessions.get(session_id)
        if session is None:
            return None
        gone = not session.connected and self._now() - session.left_at > self.rules.resume_for
        missed_too_much = session.log and session.log[0][0] > number + 1
        if gone or missed_too_much:
            del self._sessions[session_id]
            return None
        if number > session.number:
            raise Closed(INVALID_SEQ)
        return session

    def left(self, session: Session, owner: object, *, for_good: bool) -> None:
        """Note that a connection is gone, which had given the session up if it is `for_good`."""
        if session.owner is not owner:
            return
        session.owner, session.left_at = None, self._now()
        if for_good:
            self._sessions.pop(session.id, None)

    def forget(self) -> None:
        """Forget all sessions that are not connected, so that none of them can be resumed."""
        self._sessions = {one.id: one for one in self.all if one.connected}

    def tell(self, name: str, guild_id: int | None, data: Mapping[str, Any]) -> int:
        """Tell every session that is concerned; return how many are."""
        heard = 0
        for session in self.all:
            shard = 0 if guild_id is None else shard_of(guild_id, session.shards)
            if session.hears(name, shard, in_dm=guild_id is None):
                session.add(name, data)
                heard += session.connected
        return heard

    def _ensure_valid(
        self, shard: int, shards: int, intents: int, allowed: int, guilds_of: Callable[[int, int], int]
    ) -> None:
        if not 0 <= shard < shards:
            raise Closed(INVALID_SHARD)
        if intents & ~KNOWN_INTENTS:
            raise Closed(INVALID_INTENTS)
        if intents & MESSAGE_CONTENT & ~allowed:
            raise Closed(DISALLOWED_INTENTS)
        if guilds_of(shard, shards) > self.rules.most_guilds:
            raise Closed(SHARDING_REQUIRED)


def shard_of(guild_id: int, shards: int) -> int:
    """Return the shard of a server."""
    return (guild_id >> 22) % shards
