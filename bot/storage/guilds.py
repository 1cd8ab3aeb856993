"""Servers' settings and their log channels; the languages of their members."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.engine import RowMapping

from bot.domain import Budget, GuildSettings, LogSettings, Period, ServerLanguage
from bot.languages import Language
from bot.storage.database.repository import Repository
from bot.storage.database.unreadable import UNREADABLE, UnreadableRows
from bot.storage.schema import guilds, log_channels, member_languages

# Of a row whose budget can't be read: a guess might be more than what the admins allow.
_NOTHING = Budget(0, Period.DAY)


class GuildChanges(TypedDict, total=False):
    """The settings that are one value each.

    `timezone` is an IANA name. `confirm_above` is the price above which people are asked before a job starts,
    `language` that of the server's channels, `admin_language` that of the admin who ran the setup, and
    `panel_posted_at` when buttons for every tool were posted. None: nobody is asked, or nobody has chosen.
    """

    timezone: str
    keeps_metadata: bool
    confirm_above: int | None
    language: Language | None
    admin_language: Language
    panel_posted_at: datetime


class Guilds(Repository):
    """Servers' settings within one transaction. A server without a row has the defaults."""

    async def get(self, guild_id: int) -> GuildSettings:
        """Return the server's settings, the defaults if it has none."""
        row = await self._one_row(_GET, {"guild": guild_id})
        return GuildSettings(guild_id) if row is None else guild_settings_of(row, self._session.unreadable)

    async def set(self, guild_id: int, **changes: Unpack[GuildChanges]) -> None:
        """Set some of the settings that are one value each."""
        await self._set(guild_id, **changes)

    async def set_key(self, guild_id: int, key_id: int | None, at: datetime) -> None:
        await self._set(guild_id, key_id=key_id, key_changed_at=at)

    async def set_budget(self, guild_id: int, budget: Budget) -> None:
        await self._set(
            guild_id, budget_limit=budget.limit, budget_period=budget.period, budget_since=budget.since
        )

    async def set_paused(self, guild_id: int, at: datetime | None) -> None:
        """Pause new jobs since `at`, or resume them (None)."""
        # Ending the pause takes a member of the server, so the bot is in it.
        seen = {} if at is not None else {"missing_since": None}
        await self._set(guild_id, paused_at=at, **seen)

    async def came(self, guild_id: int, at: datetime) -> bool:
        """Note that the bot is in the server. Return True if nobody was greeted since it joined."""
        query = select(guilds.c.greeted_at).where(guilds.c.guild_id == guild_id)
        greeted = (await self._session.execute(query)).scalar_one_or_none()
        await self._set(guild_id, left_at=None, missing_since=None, greeted_at=greeted or at)
        return greeted is None

    async def went(self, guild_id: int, at: datetime) -> None:
        """Note that the bot was removed from the server."""
        await self._set(guild_id, left_at=at, missing_since=None, greeted_at=None)

    async def missing(self) -> dict[int, datetime]:
        """Return the servers that seem to have removed the bot, and since when; an operator decides."""
        rows = (await self._session.execute(_MISSING)).mappings()
        return {row["guild_id"]: row["missing_since"] for row in rows}

    async def set_missing(self, guild_ids: Collection[int], at: datetime | None) -> None:
        """Note since when the servers seem to have removed the bot, or None if they have not."""
        theirs = guilds.c.guild_id.in_(list(guild_ids)) & guilds.c.left_at.is_(None)
        await self._session.execute(update(guilds).where(theirs).values(missing_since=at))

    async def present(self) -> list[int]:
        """Return those servers of this process that have settings and have not removed the bot."""
        ours = self._session.ours(_PRESENT, guilds.c.guild_id)
        return list((await self._session.execute(ours)).scalars())

    async def _set(self, guild_id: int, **values: Any) -> None:
        await self._session.put(guilds, {"guild_id": guild_id}, values)


class LogChannels(Repository):
    """Log channels within one transaction. A server without a row has none."""

    async def get(self, guild_id: int) -> LogSettings:
        row = await self._one_row(_LOG_CHANNEL, {"guild": guild_id})
        if row is None:
            return LogSettings()
        return LogSettings(row["channel_id"], row["results"], bool(row["requests_in_place"]))

    async def set(self, guild_id: int, settings: LogSettings) -> None:
        await self._session.put(log_channels, {"guild_id": guild_id}, asdict(settings))


class MemberLanguages(Repository):
    """Members' last known languages within one transaction."""

    async def get(self, user_id: int) -> Language | None:
        return (await self._session.execute(_MEMBER_LANGUAGE, {"user": user_id})).scalar_one_or_none()

    async def set_all(self, languages: Mapping[int, Language], at: datetime) -> None:
        """Set the languages of some members, at least one."""
        rows = [{"user_id": one, "language": language, "seen_at": at} for one, language in languages.items()]
        await self._session.put_all(member_languages, "user_id", rows)

    async def erase_before(self, at: datetime) -> None:
        """Erase those that were last set before that time."""
        await self._session.execute(_ERASE_LANGUAGES, {"before": at})


def budget_of(row: RowMapping | Mapping[str, Any]) -> Budget:
    """Return the budget of a row, the default if it has none. Raises `ValueError` for half a budget."""
    if row["budget_limit"] is None:
        return Budget()
    if row["budget_period"] is None:
        raise ValueError("a budget without a period")
    return Budget(row["budget_limit"], row["budget_period"], row["budget_since"])


def guild_settings_of(row: RowMapping | Mapping[str, Any], unreadable: UnreadableRows) -> GuildSettings:
    """Return the settings of a row. A budget that can't be read is noted, and 0 until an admin sets one."""
    defaults = GuildSettings(row["guild_id"])
    try:
        budget = budget_of(row)
    except UNREADABLE as error:
        unreadable.add(guilds.name, (row["guild_id"],), error)
        budget = _NOTHING
    return GuildSettings(
        row["guild_id"],
        key_id=row["key_id"],
        budget=budget,
        timezone=row["timezone"] or defaults.timezone,
        paused=row["paused_at"] is not None or row["missing_since"] is not None,
        keeps_metadata=bool(row["keeps_metadata"]),
        confirm_above=row["confirm_above"],
        has_panel=row["panel_posted_at"] is not None,
        language=ServerLanguage(row["language"], row["admin_language"]),
    )


# Statements, made once (see `Session.execute`).
_GET = select(guilds).where(guilds.c.guild_id == bindparam("guild"))
_MISSING = (
    select(guilds.c.guild_id, guilds.c.missing_since)
    .where(guilds.c.missing_since.is_not(None))
    .order_by(guilds.c.guild_id)
)
_PRESENT = select(guilds.c.guild_id).where(guilds.c.left_at.is_(None))
_LOG_CHANNEL = select(log_channels).where(log_channels.c.guild_id == bindparam("guild"))
_MEMBER_LANGUAGE = select(member_languages.c.language).where(member_languages.c.user_id == bindparam("user"))
_ERASE_LANGUAGES = delete(member_languages).where(member_languages.c.seen_at < bindparam("before"))
