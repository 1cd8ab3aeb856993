"""Set, check and remove servers' Studii keys, which are stored encrypted."""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot import meta, posts
from bot.aio.bounded import BoundedDict
from bot.catalog import Catalog
from bot.clock import Clock
from bot.credits import charges, ledger
from bot.credits.budgets import new_budget, watch_budget
from bot.domain.guilds import Period, Plan
from bot.errors import Refused
from bot.jobs import holds as key_holds, lanes as lane_rows, transitions
from bot.languages import Message, lazy, paragraph
from bot.reasons import Reason
from bot.servers import keys, settings
from bot.servers.keys import StudiiKey
from bot.servers.notices import NoticeKind
from bot.services.servers import Forgotten, running
from bot.services.service import ToolService
from bot.storage import Storage
from bot.studii import KeyRefused
from bot.vault import LaneNames, Vault

_log = logging.getLogger(__name__)

MIN_KEY_CHARACTERS = 12  # the last four are shown, which must not be most of a key
MAX_KEY_CHARACTERS = 256
# Of keys, in a server: to Studii, all wrong ones come from the operator's address.
TESTS = 5
TESTS_WITHIN = 60.0  # seconds
REMEMBERED_SERVERS = 5000
TOO_MANY_TESTS = lazy(
    "Too many keys were tried in this server. Wait a minute, then try again. Nothing was changed."
)
NOT_ACCEPTED = lazy(
    "Studii doesn't accept this API key. Check that you copied all of it and that it hasn't been "
    "revoked. Nothing was changed."
)
_WHERE = lazy("Copy it from studii.tech/app/settings/api-keys and try `/studii key` again.")
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
    if len(text) < MIN_KEY_CHARACTERS:
        raise _no_key(lazy("That isn't a Studii key: it's too short."))
    if len(text) > MAX_KEY_CHARACTERS:
        raise _no_key(lazy("That isn't a Studii key: it's too long."))
    return text


def _no_key(why: Message) -> Refused:
    return Refused(paragraph(why, _WHERE))


@dataclass(frozen=True, slots=True)
class Lowered:
    """The requests a minute that are sent at most until a moment, because Studii refused some."""

    limit: int
    until: datetime


class KeyService(ToolService):
    """Sets and shows servers' keys.

    `check` asks Studii about a key without spending; it raises a `StudiiBotError` if the key is no
    good or Studii does not answer, and bounds its own time.
    """

    def __init__(
        self,
        storage: Storage,
        vault: Vault,
        lanes: LaneNames,
        catalog: Catalog,
        clock: Clock,
        check: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__(storage, catalog, clock)
        self._vault = vault
        self._lanes = lanes
        self._check = check
        self._tested = BoundedDict[int, list[float]](REMEMBERED_SERVERS)  # when, for each server

    async def set_key(self, guild_id: int, secret: str, plan: Plan, daily_budget: int | None) -> StudiiKey:
        """Set the server's key to the pasted text if Studii accepts it, and its budget if one is given.

        Running jobs keep the key that they were submitted with. Raises `Refused` for text that can be no key
        or a budget that makes no sense, and what `check` raises. Nothing has changed then.
        """
        secret = cleaned(secret)
        budget = None if daily_budget is None else new_budget(daily_budget, Period.DAY, self._clock.now())
        lane = self._lanes.lane_of(secret)
        self._ensure_few_tests(guild_id)
        await self._try(secret, lane)
        async with self._storage.write() as transaction:
            await transaction.run(ledger.lock, guild_id)
            now = self._clock.now()
            sealed = self._vault.seal(secret)
            key = await transaction.run(keys.use, guild_id, lane, secret[-4:], plan, sealed, now)
            await transaction.run(key_holds.end, guild_id, now, key=key)
            await transaction.run(posts.forget, guild_id, NoticeKind.PLAN_DOUBTED)
            if budget is not None:
                await transaction.run(settings.set_budget, guild_id, budget)
                await transaction.run(watch_budget, guild_id, now)
            # Waiting jobs may have a price that another account was charged.
            await transaction.run(charges.reprice_server, self._catalog, lane, guild_id, now)
        _log.info("Server %d now uses key %s (%s).", guild_id, key.masked, plan.value)
        return key

    async def forget(self, guild_id: int, key_id: int) -> Forgotten | None:
        """Remove the server's key: cancel waiting jobs, unpaid, and finish those that Studii has.

        The key stays, sealed, for those jobs alone, a day at most. Returns None if that is no longer the
        server's key.
        """
        async with self._changing() as transaction:
            await transaction.run(ledger.lock, guild_id)
            now = self._clock.now()
            key = await transaction.run(keys.current, guild_id)
            if key is None or key.id != key_id:
                return None
            cancelled = await transaction.run(transitions.cancel_unsent, guild_id, now)
            await transaction.run(settings.set_key, guild_id, None, now)
            await transaction.run(keys.retire, key.id, now)
            still = await running(transaction, guild_id)
        _log.info("Server %d removed its key %s.", guild_id, key.masked)
        return Forgotten(cancelled, still)

    def readable(self, key: StudiiKey) -> bool:
        """Return whether the encryption key that sealed it is known."""
        return self._vault.opens(key.ciphertext)

    async def lost(self) -> list[int]:
        """Return the servers whose key can't be read any more and whose admins have not been asked for it,
        each once."""
        asked: list[int] = []
        async with self._storage.write() as transaction:
            for key in await transaction.run(keys.stored):
                name = f"lost-key:{key.id}"
                if key.retired_at is not None or self.readable(key):
                    continue
                if await transaction.run(meta.get, name) is None:
                    await transaction.run(meta.set_to, name, b"asked")
                    asked.append(key.guild_id)
        for guild_id in asked:
            _log.warning(
                "The Studii key of server %d can't be read: its encryption key is missing.", guild_id
            )
        return asked

    async def try_again(self, guild_id: int) -> bool:
        """Let a job that waits because of the key, or the next one, try it at once.

        Returns False if no key is held.
        """
        async with self._changing() as transaction:
            return await transaction.run(key_holds.try_again, guild_id, self._clock.now())

    async def held(self, guild_id: int) -> Reason | None:
        """Return why Studii accepts no jobs with the server's key, or None if it accepts them."""
        async with self._storage.read() as transaction:
            key = await transaction.run(keys.current, guild_id)
            hold = None if key is None else await transaction.run(key_holds.of_key, key)
        return None if hold is None else hold.reason

    async def lowered(self, key: StudiiKey) -> Lowered | None:
        """Return whether Studii has refused requests well under the plan's limit since that plan was chosen.

        None if the plan is believed.
        """
        async with self._storage.read() as transaction:
            limits = (await transaction.run(lane_rows.limits_of, [key.lane])).get(key.lane)
        if limits is None or limits.lowered_to is None or limits.lowered_until is None:
            return None
        if limits.plan_at < key.plan_chosen_at or limits.lowered_until <= self._clock.now():
            return None
        return Lowered(limits.lowered_to, limits.lowered_until)

    def _ensure_few_tests(self, guild_id: int) -> None:
        now = self._clock.monotonic()
        recent = [at for at in self._tested.get(guild_id, ()) if now - at < TESTS_WITHIN]
        if len(recent) >= TESTS:
            raise Refused(TOO_MANY_TESTS)
        self._tested[guild_id] = [*recent, now]

    async def _try(self, secret: str, lane: str) -> None:
        async with self._storage.write() as transaction:
            # The question counts against the key's rate limit like any other request.
            await transaction.run(lane_rows.record, lane, self._clock.now())
        try:
            await self._check(secret)
        except KeyRefused:
            # Studii's words speak of the server's key; this one is not that yet.
            raise Refused(NOT_ACCEPTED) from None
