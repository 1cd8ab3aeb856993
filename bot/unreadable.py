"""Rows that can't be read. They are left out of results, logged once and counted."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Column, ColumnElement, Select, tuple_
from sqlalchemy.engine import RowMapping

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
Build = Callable[[RowMapping], _T]
Key = tuple[Any, ...]

MAX_REMEMBERED_ROWS = 1000  # the first ones: later ones are not logged either, so that the log is bounded
KEYS_IN_A_STATEMENT = 500
# Drivers and column types raise these for invalid values.
UNREADABLE = (ValueError, TypeError, LookupError)


class UnreadableRows:
    """The rows that could not be read since the start. Each is logged once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Key], None] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def names(self) -> list[str]:
        """Return the rows by table and primary key, as an operator finds them."""
        return [_name(table, key) for table, key in self._seen]

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


def json_object(value: object) -> dict[str, Any]:
    """Return the value of a JSON column that holds an object. Raises `TypeError` for anything else."""
    if not isinstance(value, dict):
        raise TypeError("not a JSON object")
    return cast(dict[str, Any], value)


def among(columns: Sequence[Column[Any]], keys: Sequence[Key]) -> ColumnElement[bool]:
    """Return the condition that the columns have one of these values."""
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def chunks(keys: Sequence[Key]) -> list[Sequence[Key]]:
    """Return the keys in parts that fit into one statement each."""
    return [keys[at : at + KEYS_IN_A_STATEMENT] for at in range(0, len(keys), KEYS_IN_A_STATEMENT)]


def unbounded(query: Select[Any]) -> Select[Any]:
    """Return the query without its order and bounds, to be asked for single rows."""
    return query.order_by(None).limit(None).offset(None)


def _name(table: str, key: Key) -> str:
    return f"{table} {' '.join(map(str, key))}"
