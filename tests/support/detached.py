"""Rows outside of transactions are detached: nothing assigns to them, or hands them to a transaction."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from sqlalchemy import event, inspect

from bot.base import Base
from bot.db import Database


def hold_rows_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise where a row is handed to `Database.read`, `write` or `amend`."""
    for name in ("read", "write", "amend"):
        monkeypatch.setattr(Database, name, _without_rows(getattr(Database, name)))


def refuse_detached() -> None:
    """Raise where an attribute of a detached row is set, from now on, for all classes that there are."""
    for mapper in Base.registry.mappers:
        for column in mapper.column_attrs:
            event.listen(getattr(mapper.class_, column.key), "set", _refuse)


def _without_rows(transact: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    def checked(db: Database, work: Callable[..., Any], *args: object, **more: object) -> Awaitable[Any]:
        for one in (*args, *more.values()):
            if any(isinstance(row, Base) for row in _held(one)):
                raise TypeError(f"{work} was given a row: hand it ids and plain values")
        return transact(db, work, *args, **more)

    return checked


def _held(one: object) -> list[object]:
    if isinstance(one, dict):
        return cast("list[object]", [*one, *one.values()])
    return cast("list[object]", [*one]) if isinstance(one, list | tuple | set | frozenset) else [one]


def _refuse(row: Base, _value: object, _before: object, _initiator: object) -> None:
    if inspect(row).detached:
        raise AttributeError(f"{type(row).__name__} is detached: change it in a function of Database.write")
