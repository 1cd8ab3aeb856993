"""Enter and remove servers' Studii keys, which are stored encrypted."""

import logging
import re
from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy.orm import Session

from bot import meta, posts
from bot.catalog import Catalog
from bot.clock import Clock
from bot.credits import ledger, prices
from bot.db import Database
from bot.errors import Refused
from bot.jobs import holds, lanes, queries, transitions
from bot.jobs.models import SENT_STATES
from bot.languages import Message, lazy, paragraph
from bot.servers import keys, notices, settings
from bot.studii import KeyRefused
from bot.vault import LaneNames, Vault

_log = logging.getLogger(__name__)

# Of keys, in a server: to Studii, all wrong ones come from the operator's address.
TESTS = 5  # a minute
# Characters around a key in pasted text: spaces, quotes, code marks, and invisible ones.
_AROUND = " \t\r\n\"'`“”‘’„«»,;\u00a0\u200b\u200c\u200d\u2060\ufeff"
# Studii API docs, "Authentication": how a request carries the key.
_HEADER = re.compile(
    r"^(?:(?:authorization|x-api-key)[\"'`]?\s*[:=]\s*[\"'`]?)?(?:bearer\s+)?", re.IGNORECASE
)


def cleaned(pasted: str) -> str:
    """Return the key in a pasted text. Raises `Refused`, without the text, if there is none."""
    text = _HEADER.sub("", pasted.strip(_AROUND)).strip(_AROUND)
    if not text.startswith("stu_"):
        raise _no_key(lazy("That isn't a Studii key: it must start with `stu_`."))
    if not all("!" <= character <= "~" for character in text):
        raise _no_key(lazy("That isn't a Studii key: it has a space or an invalid character."))
    return text


def _no_key(why: Message) -> Refused:
    return Refused(paragraph(why, lazy("Copy it from studii.tech/app/settings/api-keys and enter it again.")))


class KeyEntry:
    """Takes the keys that admins enter.

    `check` asks Studii about a key without spending; it raises `KeyRefused` if Studii refuses it, another
    `StudiiBotError` if Studii does not answer, and bounds its own time.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        catalog: Catalog,
        vault: Vault,
        names: LaneNames,
        check: Callable[[str], Awaitable[None]],
    ) -> None:
        self._db, self._clock, self._catalog = db, clock, catalog
        self._vault, self._names, self._check = vault, names, check
        self._tested: dict[int, list[float]] = {}  # when, for each server

    async def set_key(self, guild_id: int, pasted: str, plan: keys.Plan) -> keys.StudiiKey:
        """Set the server's key to the pasted text if Studii accepts it.

        Running jobs keep the key that they were submitted with. Raises `Refused` for text that can be no
        key, and what `check` raises. Nothing has changed then.
        """
        secret, tried = cleaned(pasted), self._clock.monotonic()
        recent = [at for at in self._tested.get(guild_id, ()) if tried - at < 60.0]
        if len(recent) >= TESTS:
            raise Refused(
                lazy(
                    "Too many keys were tried in this server. Wait a minute, then try again. Nothing was "
                    "changed."
                )
            )
        self._tested[guild_id] = [*recent, tried]
        lane = self._names(secret)
        # The question counts against the key's rate limit like any other request.
        await self._db.write(lanes.record, lane, self._clock.now())
        try:
            await self._check(secret)
        except KeyRefused:
            # Studii's words speak of the server's key; this one is not that yet.
            raise Refused(
                lazy(
                    "Studii doesn't accept this API key. Check that you copied all of it and that it "
                    "hasn't been "
                    "revoked. Nothing was changed."
                )
            ) from None
        key = await self._db.write(
            _use,
            self._catalog,
            guild_id,
            lane,
            secret[-4:],
            plan,
            self._vault.seal(secret),
            self._clock.now(),
        )
        _log.info("Server %d now uses key %s (%s).", guild_id, key.masked, plan.value)
        return key


def _use(
    session: Session,
    catalog: Catalog,
    guild_id: int,
    lane: str,
    hint: str,
    plan: keys.Plan,
    sealed: bytes,
    at: datetime,
) -> keys.StudiiKey:
    ledger.lock(session, guild_id)
    key = keys.use(session, guild_id, lane, hint, plan, sealed, at)
    holds.end_hold(session, guild_id, at, key=key)
    posts.forget(session, guild_id, notices.NoticeKind.PLAN_DOUBTED)
    # Waiting jobs may have a price that another account was charged.
    prices.reprice_server(session, catalog, lane, guild_id, at)
    return key


def forget(session: Session, guild_id: int, key_id: int, at: datetime) -> tuple[int, int] | None:
    """Remove the server's key: cancel waiting jobs, unpaid, and finish those that Studii has.

    The key stays, sealed, for those jobs alone, a day at most. Return the numbers of jobs that were cancelled
    and that still run, or None if that is no longer the server's key.
    """
    ledger.lock(session, guild_id)
    key = keys.current(session, guild_id)
    if key is None or key.id != key_id:
        return None
    cancelled = transitions.cancel_unsent(session, guild_id, at)
    settings.change(session, guild_id, key_id=None)
    keys.retire(session, key.id, at)
    _log.info("Server %d removed its key %s.", guild_id, key.masked)
    return cancelled, sum(job.guild_id == guild_id for job in queries.in_states(session, SENT_STATES))


def lost(session: Session, vault: Vault) -> list[int]:
    """Return the servers whose key can't be read any more and whose admins have not been asked for it, each
    once."""
    asked: list[int] = []
    for key in keys.stored(session):
        name = f"lost-key:{key.id}"
        if key.retired_at is None and not vault.opens(key.ciphertext) and meta.get(session, name) is None:
            meta.set_to(session, name, b"asked")
            _log.warning(
                "The Studii key of server %d can't be read: its encryption key is missing.", key.guild_id
            )
            asked.append(key.guild_id)
    return asked
