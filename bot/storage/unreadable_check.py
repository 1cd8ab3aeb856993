"""Finds rows that can't be read: in every table with a JSON column, and among budgets."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from sqlalchemy import Select, Table, select
from sqlalchemy.engine import RowMapping

from bot.features.photo_rules import MappedEmoji, PhotoChannel
from bot.features.styles import MemberDefaults, Style
from bot.jobs.confirm import Confirmation
from bot.storage.database.repository import Repository
from bot.storage.schema import guilds, jobs, posts
from bot.unreadable import json_object

CHECKED_PAGE_ROWS = 500


def _whole_budget(row: RowMapping) -> None:
    if row["budget_limit"] is not None and row["budget_period"] is None:
        raise ValueError("a budget without a period")


def _question(row: RowMapping) -> object:
    values = {name: value for name, value in row.items() if name != "request"}
    return Confirmation(kept=json_object(row["request"]), **values).requests


_BUILT_BY: Mapping[Table, Callable[[RowMapping], Any]] = {
    jobs: lambda row: row,  # its columns' types tell
    posts: lambda row: json_object(row["details"]),
    cast("Table", Confirmation.__table__): _question,
    guilds: _whole_budget,
    **{
        cast("Table", row.__table__): lambda found: json_object(found["inputs"])
        for row in (MappedEmoji, PhotoChannel, Style, MemberDefaults)
    },
}


class UnreadableCheck(Repository):
    """Reads all rows as the bot does, within one transaction."""

    async def names(self) -> list[str]:
        """Return the rows that can't be read, by table and primary key."""
        for table, build in _BUILT_BY.items():
            key = list(table.primary_key.columns)
            pages: Select[Any] = select(table).order_by(*key).limit(CHECKED_PAGE_ROWS)
            at = 0
            while await self._session.rows(pages.offset(at), build, key):
                at += CHECKED_PAGE_ROWS
        return self._session.unreadable.names()
