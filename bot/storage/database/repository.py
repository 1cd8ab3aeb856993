"""The base of repositories."""

from sqlalchemy import Executable
from sqlalchemy.engine import RowMapping

from bot.storage.database.session import Session, Values


class Repository:
    """Reads and changes the rows of a subject within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def _one_row(
        self, statement: Executable, values: Values | None, *, named: bool = False
    ) -> RowMapping | None:
        """Execute the statement, as `Session.execute` does. Return its only row, or None if it has none."""
        done = await self._session.execute(statement, values, named=named)
        return done.mappings().one_or_none()
