"""The base of repositories."""

from typing import Any

from sqlalchemy import ColumnElement, Executable
from sqlalchemy.engine import RowMapping

from bot.domain import Window
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


def within(moment: ColumnElement[Any], window: Window) -> list[ColumnElement[bool]]:
    """Return the conditions that the moment is within the window."""
    return [
        *([] if window.start is None else [moment >= window.start]),
        *([] if window.end is None else [moment < window.end]),
    ]
