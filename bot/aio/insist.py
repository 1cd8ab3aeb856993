"""Storing what must not be lost to a busy database, to a full disk or to a database that is away."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from bot.aio.liveness import Pulse
from bot.aio.loops import Complaints

_T = TypeVar("_T")

PAUSE = 2.0  # seconds at most until it is tried again: less than a drain
TRIES = 5  # if what is to be stored, and not the database, seems to be the reason
_NOT_THE_DATABASE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    DataError,
    IntegrityError,
    LookupError,
    ProgrammingError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Insistence:
    """What somebody has answered is kept here, and its storing tried again for as long as the process lives:
    asked again, they might do it again."""

    def __init__(self, what: str, pulse: Pulse) -> None:
        self._what = what
        self._pulse = pulse
        self._complaints = Complaints(what, PAUSE)

    async def on(self, store: Callable[[], Awaitable[_T]], subject: Hashable, job: str | None = None) -> _T:
        """The result of `store`, which may be called again after it failed. Raises what it raises if the
        reason does not seem to be the database."""
        tries = 0
        while True:
            tries += 1
            # Each try is progress of its own: nobody may take us for stuck, and lose the answer by that.
            with self._pulse.work(f"{self._what} ({subject})"):
                try:
                    result = await store()
                except Exception as error:
                    if isinstance(error, _NOT_THE_DATABASE) and tries > TRIES:
                        raise
                    pause = self._complaints.about(error, subject, job=job)
                else:
                    self._complaints.none(subject)
                    return result
            await asyncio.sleep(pause)
