"""Refusals: members are told each reason once in a while, and paused after many by word rules."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from bot.domain.words import WordRefusal
from bot.servers import access, notices
from bot.servers.access import Block, WordPause
from bot.servers.notices import NoticeKind
from bot.services.service import Service
from bot.storage import Transaction

BETWEEN = timedelta(hours=1)  # the same reason is told a member again
MAX_REFUSALS = 100
MAX_PAUSE_HOURS = 24 * 30
MAX_QUOTED_CHARACTERS = 1000  # of what a person asked for
_DIGEST = 16  # hex digits


class RefusalService(Service):
    """Keeps what members were told of refusals, and when word rules pause a member."""

    async def may_tell(self, guild_id: int, user_id: int, reason: str) -> bool:
        """Return whether the member may be told this sentence now, and record it (once an hour).

        Sentences that differ in figures alone are the same reason. A reason is recognized by its English
        sentence, as refusals have no codes: after an update that rewords it, it may be said once more.
        """
        now = self._clock.now()
        digest = hashlib.sha256(re.sub(r"\d+", "", reason).encode()).hexdigest()[:_DIGEST]
        async with self._storage.write() as transaction:
            return await transaction.refusals.tell(guild_id, user_id, digest, now, now - BETWEEN)

    async def pause(self, guild_id: int) -> WordPause:
        """Return when word rules pause a member of the server."""
        async with self._storage.read() as transaction:
            return await transaction.run(access.word_pause, guild_id)

    async def set_pause(self, guild_id: int, refusals: int | None, hours: int | None) -> WordPause:
        """Set after how many refusals in a day a member is paused (0: never), and for how long."""
        if refusals is not None:
            refusals = max(0, min(refusals, MAX_REFUSALS))
        async with self._changing() as transaction:
            if refusals is not None:
                await transaction.run(access.change, guild_id, refusals=refusals)
            if hours is not None:
                await transaction.run(
                    access.change, guild_id, pause_hours=max(1, min(hours, MAX_PAUSE_HOURS))
                )
            return await transaction.run(access.word_pause, guild_id)


async def note_refusal(transaction: Transaction, refusal: WordRefusal, at: datetime) -> Block | None:
    """Let moderators know of a refusal by a word rule. If it pauses the member, return the pause.

    What an admin chose is no fault of the member who posted or tapped a photo: it pauses no one, and is told
    once a day.
    """
    pause = None
    if not refusal.preset:
        server, member = refusal.guild_id, refusal.user_id
        pause = await transaction.run(access.count_refusal, server, member, at, manages=refusal.manages)
    until = None if pause is None else pause.until
    details = {
        "user": None if refusal.preset else refusal.user_id,
        "preset": int(refusal.preset),
        "channel": refusal.channel_id,
        "tool": refusal.tool,
        "rule": refusal.rule,
        "text": None if refusal.hidden else refusal.text[:MAX_QUOTED_CHARACTERS],
        "until": None if until is None else int(until.timestamp()),
    }
    await transaction.run(
        notices.add, refusal.guild_id, NoticeKind.WORDS, _key(refusal, at), at=at, details=details
    )
    return pause


def _key(refusal: WordRefusal, at: datetime) -> str:
    if not refusal.preset:
        # Begins with the member, by whom it can be erased.
        return f"{refusal.user_id}:{secrets.token_hex(8)}"
    told = f"{refusal.channel_id} {refusal.tool} {refusal.rule}"
    return f"preset:{hashlib.sha256(told.encode()).hexdigest()[:_DIGEST]}:{at:%Y-%m-%d}"
