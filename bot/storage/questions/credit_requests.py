"""Members' requests for more credits."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import bindparam, select, update

from bot.domain.credit_requests import CreditRequest, RequestState
from bot.storage.database.session import Session
from bot.storage.schema import credit_requests


class CreditRequests:
    """Requests for more credits within one transaction. A member has one open request in a server."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, request: CreditRequest) -> bool:
        """Store a new request. Return False if the member has an open one."""
        insert = self._session.insert(credit_requests).values(asdict(request))
        added = await self._session.execute(insert.on_conflict_do_nothing(), named=True)
        return added.rowcount == 1

    async def get(self, request_id: str) -> CreditRequest | None:
        row = (await self._session.execute(_GET, {"request": request_id})).mappings().one_or_none()
        return None if row is None else CreditRequest(**row)

    async def open_of(self, guild_id: int, user_id: int) -> CreditRequest | None:
        """Return the member's open request in the server."""
        mine = {"guild": guild_id, "user": user_id}
        row = (await self._session.execute(_OPEN_OF, mine)).mappings().one_or_none()
        return None if row is None else CreditRequest(**row)

    async def answer(
        self, request_id: str, state: RequestState, by: int | None, at: datetime
    ) -> CreditRequest | None:
        """Answer an open request. Return None if it is not open any more."""
        open_ = (credit_requests.c.id == request_id) & (credit_requests.c.state == RequestState.OPEN)
        values = {"state": state, "answered_by": by, "answered_at": at}
        answer = update(credit_requests).where(open_).values(values).returning(credit_requests)
        row = (await self._session.execute(answer, named=True)).mappings().one_or_none()
        return None if row is None else CreditRequest(**row)


# Statements, made once (see `Session.execute`).
_GET = select(credit_requests).where(credit_requests.c.id == bindparam("request"))
_OPEN_OF = select(credit_requests).where(
    credit_requests.c.guild_id == bindparam("guild"),
    credit_requests.c.user_id == bindparam("user"),
    credit_requests.c.state == RequestState.OPEN,
)
