"""One transaction, with a repository for each subject."""

from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec, TypeVar

from sqlalchemy.orm import Session as OrmSession

from bot.storage.database.session import Session
from bot.storage.posting import BestResults
from bot.storage.unreadable_check import UnreadableCheck

_T = TypeVar("_T")
_P = ParamSpec("_P")


class _Repository(Generic[_T]):
    """Makes a transaction's repository when it is first used: a transaction uses two or three of them."""

    def __init__(self, make: Callable[[Session], _T]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, transaction: "Transaction", owner: type) -> _T:
        # From now on it is found in the transaction, before this is asked.
        made = transaction.__dict__[self._name] = self._make(transaction.session)
        return made


class Transaction:
    """Everything that is kept, seen and changed within one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session  # for the repositories alone

    async def run(
        self, work: Callable[Concatenate[OrmSession, _P], _T], *args: _P.args, **more: _P.kwargs
    ) -> _T:
        """Return what a function of a session, as `Database.write` takes it, does in this transaction."""
        return await self.session.run(lambda session: work(session, *args, **more))

    best = _Repository(BestResults)
    unreadable = _Repository(UnreadableCheck)
