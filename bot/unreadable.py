"""Rows that can't be read. They are left out of results, logged once and counted."""

import logging
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Select, tuple_
from sqlalchemy.orm import Session

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
Key = tuple[Any, ...]

MAX_REMEMBERED_ROWS = 1000  # the first ones: later ones are not logged either, so that the log is bounded
# Drivers and column types raise these for invalid values.
UNREADABLE = (ValueError, TypeError, LookupError)


class UnreadableRows:
    """The rows that could not be read since the start. Each is logged once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Key], None] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, table: str, key: Key, error: Exception) -> None:
        """Note a row; log it if it is new."""
        if (table, key) in self._seen or len(self._seen) >= MAX_REMEMBERED_ROWS:
            return
        self._seen[table, key] = None
        # Not the error's words: they may quote the row.
        _log.error(
            "A row can't be read (%s) and is skipped: %s. Repair it, or restore a backup",
            type(error).__name__,
            _name(table, key),
        )


def readable(session: Session, query: Select[_T]) -> list[_T]:
    """Return the rows of the query. Those that can't be read are noted, and others take their place."""
    try:
        return list(session.scalars(query))
    except UNREADABLE:
        row: type[Any] = query.column_descriptions[0]["entity"]
        key: list[Column[Any]] = list(row.__table__.primary_key)
        found = session.execute(query.with_only_columns(*key, maintain_column_froms=True)).all()
        bad = [one for one in map(tuple, found) if not _is_readable(session, row, one)]
        if not bad:
            raise
        return readable(session, query.where(~_among(key, bad)))


def _is_readable(session: Session, row: type[Any], key: Key) -> bool:
    try:
        return session.get(row, key) is not None
    except UNREADABLE as error:
        session.info["unreadable"].add(row.__tablename__, key, error)
        return False


def _among(columns: Sequence[Column[Any]], keys: Sequence[Key]) -> ColumnElement[bool]:
    """Return the condition that the columns have one of these values."""
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def _name(table: str, key: Key) -> str:
    return f"{table} {' '.join(map(str, key))}"
