"""Members' requests for more credits."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, bindparam, select, update

from bot.domain.credit_requests import CreditRequest, RequestState
from bot.storage.database.repository import Repository
from bot.storage.schema import credit_requests


class CreditRequests(Repository):
    """Requests for more credits within one transaction. A member has one open request in a server."""

    async def add(self, request: CreditRequest) -> bool:
        """Store a new request. Return False if the member has an open one."""
        insert = self._session.insert(credit_requests).values(asdict(request))
        added = await self._session.execute(insert.on_conflict_do_nothing())
        return added.rowcount == 1

    async def get(self, request_id: str) -> CreditRequest | None:
        return await self._one(_GET, {"request": request_id})

    async def open_of(self, guild_id: int, user_id: int) -> CreditRequest | None:
        """Return the member's open request in the server."""
        return await self._one(_OPEN_OF, {"guild": guild_id, "user": user_id})

    async def answer(
        self, request_id: str, state: RequestState, by: int | None, at: datetime
    ) -> CreditRequest | None:
        """Answer an open request. Return None if it is not open any more."""
        open_ = (credit_requests.c.id == request_id) & (credit_requests.c.state == RequestState.OPEN)
        values = {"state": state, "answered_by": by, "answered_at": at}
        answer = update(credit_requests).where(open_).values(values).returning(credit_requests)
        return await self._one(answer, None)

    async def _one(self, statement: Executable, values: Mapping[str, Any] | None) -> CreditRequest | None:
        row = await self._one_row(statement, values)
        return None if row is None else CreditRequest(**row)


# Statements, made once (see `Session.execute`).
_GET = select(credit_requests).where(credit_requests.c.id == bindparam("request"))
_OPEN_OF = select(credit_requests).where(
    credit_requests.c.guild_id == bindparam("guild"),
    credit_requests.c.user_id == bindparam("user"),
    credit_requests.c.state == RequestState.OPEN,
)
