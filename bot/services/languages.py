"""The languages of servers and members: what they chose, and what their Discord apps are set to."""

import asyncio

from bot.aio.bounded import BoundedDict
from bot.aio.loops import WakeUp
from bot.clock import Clock
from bot.domain.guilds import ServerLanguage
from bot.errors import Outage
from bot.languages import Language
from bot.servers import settings
from bot.services.service import Service
from bot.storage import Storage

MAX_REMEMBERED_LANGUAGES = 10_000  # of servers, and of members
LANGUAGE_AGE_SECONDS = 300.0  # until a server's is read again: another process may have served it meanwhile
MAX_UNSTORED_LANGUAGES = 1000  # members; what is beyond is stored when they come again


class LanguageService(Service):
    """Keeps the languages. Members' are stored a little later than they are heard of, many at a time."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        super().__init__(storage, clock)
        self._servers: BoundedDict[int, tuple[float, ServerLanguage]] = BoundedDict(MAX_REMEMBERED_LANGUAGES)
        self._members: BoundedDict[int, Language] = BoundedDict(MAX_REMEMBERED_LANGUAGES)
        self._unstored: dict[int, Language] = {}
        self._storing = asyncio.Lock()
        self.wake_up = WakeUp()

    async def of_server(self, guild_id: int) -> ServerLanguage:
        """Return the language that the server's admins chose, and the language of the admin who ran setup."""
        kept = self._servers.get(guild_id)
        if kept is not None and self._clock.monotonic() - kept[0] < LANGUAGE_AGE_SECONDS:
            return kept[1]
        try:
            async with self._storage.read() as transaction:
                found = (await transaction.run(settings.of, guild_id)).language
        except Outage:
            return ServerLanguage() if kept is None else kept[1]  # better another language than no answer
        self._servers[guild_id] = self._clock.monotonic(), found
        return found

    async def choose(self, guild_id: int, language: Language | None) -> None:
        """Set the server's language. None removes the choice."""
        async with self._changing() as transaction:
            await transaction.run(settings.change, guild_id, language=language)
        self._servers.pop(guild_id, None)

    async def set_up_by(self, guild_id: int, language: Language) -> None:
        """Note the language of the admin who runs the setup, if nobody has run it before."""
        if (await self.of_server(guild_id)).of_admin is not None:
            return
        async with self._changing() as transaction:
            await transaction.run(settings.change, guild_id, admin_language=language)
        self._servers.pop(guild_id, None)

    def heard(self, user_id: int, language: Language) -> None:
        """Note the language of a member who used the bot. Asks no database."""
        if self._members.get(user_id) is language:
            return
        self._members[user_id] = language
        if len(self._unstored) < MAX_UNSTORED_LANGUAGES:
            self._unstored[user_id] = language
            self.wake_up.set()

    async def of_member(self, user_id: int) -> Language | None:
        """Return the member's last known language, or None if they never used the bot themselves."""
        known = self._members.get(user_id)
        if known is not None:
            return known
        try:
            async with self._storage.read() as transaction:
                found = await transaction.run(settings.language_of, user_id)
        except Outage:
            return None
        if found is not None:
            self._members[user_id] = found
        return found

    async def store(self) -> None:
        """Store what was heard of members since the last time."""
        async with self._storing:
            fresh, self._unstored = self._unstored, {}
            if not fresh:
                return
            try:
                async with self._storage.write() as transaction:
                    await transaction.run(settings.note_languages, fresh, self._clock.now())
            except BaseException:
                self._unstored = {**fresh, **self._unstored}
                raise

    async def forget(self, user_id: int) -> None:
        """Store nothing more of the member, until they use the bot with another language or after a restart.

        The caller erases what is stored already.
        """
        async with self._storing:
            self._unstored.pop(user_id, None)
