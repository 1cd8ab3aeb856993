"""A server's Studii key: read from what an admin pasted, tried without spending, kept encrypted."""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from bot.clock import Clock
from bot.errors import Refused
from bot.model import Budget, Period, Plan, StudiiKey
from bot.services.budgets import new_budget
from bot.storage import LaneNames, Storage, Transaction, Vault

log = logging.getLogger(__name__)

SHORTEST = 12  # characters: what is shown of a key is its last four, and that must not be most of it
LONGEST = 256
_WHERE = "Copy it from studii.tech/app/settings/api-keys and try /studii key again."
# Around a key in what people paste: spaces, quotes, code marks, and characters that nobody sees.
_AROUND = " \t\r\n\"'`“”‘’„«»,;\u00a0\u200b\u200c\u200d\u2060\ufeff"
# Studii API docs, "Authentication": how a request carries the key.
_HEADER = re.compile(
    r"^(?:(?:authorization|x-api-key)[\"'`]?\s*[:=]\s*[\"'`]?)?(?:bearer\s+)?", re.IGNORECASE
)


def cleaned(pasted: str) -> str:
    """The key in what somebody pasted. Raises `Refused`, without repeating the text, if it can be none."""
    text = _HEADER.sub("", pasted.strip(_AROUND)).strip(_AROUND)
    if not text.startswith("stu_"):
        raise Refused(f"That is no Studii key: it must start with `stu_`. {_WHERE}")
    if not all("!" <= character <= "~" for character in text):
        raise Refused(f"That is no Studii key: there is a space or an odd character in it. {_WHERE}")
    if not SHORTEST <= len(text) <= LONGEST:
        wrong = "short" if len(text) < SHORTEST else "long"
        raise Refused(f"That is no Studii key: it is too {wrong}. {_WHERE}")
    return text


class KeyService:
    """Sets and shows servers' keys.

    `check` asks Studii about a key without spending; it raises a `StudiiBotError` if the key is no
    good or Studii does not answer, and bounds its own time.
    """

    def __init__(
        self,
        storage: Storage,
        vault: Vault,
        lanes: LaneNames,
        clock: Clock,
        wake: Callable[[], None],
        check: Callable[[str], Awaitable[None]],
    ) -> None:
        self._storage = storage
        self._vault = vault
        self._lanes = lanes
        self._clock = clock
        self._wake = wake
        self._check = check

    async def set_key(
        self,
        guild_id: int,
        secret: str,
        plan: Plan,
        daily_budget: int | None,
    ) -> StudiiKey:
        """Make what was pasted the server's key, if Studii takes it; with a budget, set that too.

        Running jobs keep the key that they were submitted with. Raises `Refused` for text that can
        be no key or a budget that makes no sense, and whatever `check` raises; nothing changed then.
        """
        secret = cleaned(secret)
        budget = self._budget(daily_budget)
        lane = self._lanes.lane_of(secret)
        await self._try(secret, lane)
        async with self._storage.write() as transaction:
            now = self._clock.now()
            key = await self._keep(transaction, guild_id, secret, lane, plan, now)
            if budget is not None:
                await transaction.guilds.set_budget(guild_id, budget)
        log.info("Server %d now uses key %s (%s).", guild_id, key.masked, plan.value)
        self._wake()
        return key

    async def current(self, guild_id: int) -> StudiiKey | None:
        """The server's key, to be shown as its `masked`."""
        async with self._storage.read() as transaction:
            return await transaction.keys.current(guild_id)

    def _budget(self, daily: int | None) -> Budget | None:
        return None if daily is None else new_budget(daily, Period.DAY, self._clock.now())

    async def _try(self, secret: str, lane: str) -> None:
        async with self._storage.write() as transaction:
            # The question counts against the key's rate limit like any other request.
            await transaction.lanes.record(lane, self._clock.now())
        await self._check(secret)

    async def _keep(
        self,
        transaction: Transaction,
        guild_id: int,
        secret: str,
        lane: str,
        plan: Plan,
        now: datetime,
    ) -> StudiiKey:
        sealed = self._vault.seal(secret)
        old = await transaction.keys.current(guild_id)
        if old is not None and old.lane == lane:
            # The same key again: its jobs stay with it. Sealed anew, in case the old text cannot be read.
            await transaction.keys.set_plan(old.id, plan)
            await transaction.keys.replace_ciphertext(old.id, sealed)
            return replace(old, plan=plan, ciphertext=sealed)
        key = await transaction.keys.add(guild_id, lane, secret[-4:], plan, sealed, now)
        await transaction.guilds.set_key(guild_id, key.id, now)
        if old is not None:
            await transaction.keys.retire(old.id, now)
        return key
