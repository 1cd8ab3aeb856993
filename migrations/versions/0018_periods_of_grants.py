"""Grants name the period for which they were given, and count in no other."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GRANTS = sa.text("job_id IS NULL")


def upgrade() -> None:
    op.add_column("ledger", sa.Column("period", sa.String(48)))
    _name_periods(op.get_bind())
    op.drop_index("ix_ledger_grants", "ledger")
    op.create_index(
        "ix_ledger_grants",
        "ledger",
        ["guild_id", "period", "user_id", "amount"],
        unique=False,
        sqlite_where=GRANTS,
        postgresql_where=GRANTS,
    )


def _name_periods(connection: sa.Connection) -> None:
    """Until now a grant counted in the period of the present kind in which it was given."""
    given = connection.execute(
        sa.text(
            "SELECT ledger.id, ledger.at, guilds.budget_period, guilds.budget_since, guilds.timezone "
            "FROM ledger LEFT JOIN guilds ON guilds.guild_id = ledger.guild_id "
            "WHERE ledger.job_id IS NULL"
        ).columns(at=MOMENT, budget_since=MOMENT)
    )
    name = sa.text("UPDATE ledger SET period = :period WHERE id = :id")
    for row in given.mappings().all():
        connection.execute(name, {"id": row["id"], "period": _name(row)})


def _name(row: sa.RowMapping) -> str:
    at, since = _in_utc(row["at"]), row["budget_since"]
    if row["budget_period"] == "total":
        if since is None:
            return "total"
        return f"total {_in_utc(since).isoformat()}" if at >= _in_utc(since) else "total before"
    day = at.astimezone(ZoneInfo(row["timezone"] or "UTC")).date()
    if row["budget_period"] == "week":
        return f"week {day - timedelta(days=day.weekday())}"
    if row["budget_period"] == "month":
        return f"month {day.replace(day=1)}"
    return f"day {day}"


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
