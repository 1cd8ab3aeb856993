"""What people are told about their taps and photos, said while later ones are decided already."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.reactions.backlog import Backlog

MAX_TELLINGS_OF_A_SERVER = 1000
MAX_TELLINGS = 5000
TELLINGS_AT_ONCE = 8
TELLINGS_OF_A_SERVER_AT_ONCE = 4

Tell = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Telling:
    user_id: int
    tell: Tell


class Tellings:
    """Tells members things, each of them in order. Discord takes few messages a second: none waits for it."""

    def __init__(self) -> None:
        self._backlog = Backlog[_Telling](
            "telling members about their photos",
            self._do,
            bound=MAX_TELLINGS_OF_A_SERVER,
            bound_in_all=MAX_TELLINGS,
            at_once=TELLINGS_AT_ONCE,
            abreast=TELLINGS_OF_A_SERVER_AT_ONCE,
            key=lambda one: one.user_id,
        )

    def add(self, guild_id: int, user_id: int, tell: Tell) -> None:
        """Queue what tells the member something; it is dropped if too much waits already."""
        self._backlog.put(guild_id, _Telling(user_id, tell))

    async def close(self) -> None:
        """Drop what waits."""
        await self._backlog.close()

    async def _do(self, one: _Telling) -> None:
        await one.tell()
