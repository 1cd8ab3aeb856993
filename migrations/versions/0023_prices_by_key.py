"""Prices are kept for each Studii key; jobs keep the role from which their member's allowance came."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ANY_KEY = ""


def upgrade() -> None:
    op.add_column("jobs", sa.Column("allowance_role", sa.BigInteger()))
    _ask_again()
    _prices_by_key()


def _ask_again() -> None:
    """What waits may have been priced by another account's charges: it is looked up again when it is sent."""
    jobs = sa.table("jobs", sa.column("state"), sa.column("price_learned", sa.Boolean()))
    unsent = jobs.c.state.in_(("received", "waiting", "uploading"))
    op.execute(sa.update(jobs).where(unsent).values(price_learned=False))


def _prices_by_key() -> None:
    """Until now a price was the last charge with any key: a first guess. What each key was charged is told
    by the newest job that it paid for."""
    connection = op.get_bind()
    moment = sa.DateTime(timezone=True)
    known = connection.execute(
        sa.text("SELECT tool, variant, charge, at FROM prices").columns(at=moment)
    ).all()
    paid = connection.execute(
        sa.text(
            "SELECT k.lane, j.tool, j.variant, j.charged, j.changed_at FROM jobs j "
            "JOIN studii_keys k ON k.id = j.key_id WHERE j.number IN ("
            "SELECT max(jobs.number) FROM jobs JOIN studii_keys ON studii_keys.id = jobs.key_id "
            "WHERE jobs.state = 'succeeded' AND jobs.charged IS NOT NULL "
            "GROUP BY studii_keys.lane, jobs.tool, jobs.variant)"
        ).columns(changed_at=moment)
    ).all()
    op.drop_table("prices")
    prices = op.create_table(
        "prices",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("charge", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("lane", "tool", "variant", name="pk_prices"),
    )
    names = ("lane", "tool", "variant", "charge", "at")
    rows = [(ANY_KEY, *row) for row in known] + [tuple(row) for row in paid]
    op.bulk_insert(prices, [dict(zip(names, row, strict=True)) for row in rows])
