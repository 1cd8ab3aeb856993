"""What admins rule: access, members' allowances and limits; what members refuse."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
CHOICE = sa.String(16)
GRANTS = sa.text("job_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "policies",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("photos", CHOICE, nullable=True),
        sa.Column("portraits", CHOICE, nullable=True),
        sa.Column("private_for", CHOICE, nullable=True),
        sa.Column("extra_for", CHOICE, nullable=True),
        sa.Column("jobs_at_once", sa.Integer(), nullable=True),
        sa.Column("starts", sa.Integer(), nullable=True),
        sa.Column("starts_seconds", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", name="pk_policies"),
    )
    op.create_table(
        "access_lists",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("list", CHOICE, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "list", "target", "subject_id", name="pk_access_lists"),
    )
    op.create_table(
        "allowances",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("whose", CHOICE, nullable=False),
        sa.Column("subject_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "whose", "subject_id", name="pk_allowances"),
    )
    op.create_table(
        "photo_refusals",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_photo_refusals"),
    )
    op.create_index(
        "ix_ledger_grants",
        "ledger",
        ["guild_id", "at", "user_id", "amount"],
        unique=False,
        sqlite_where=GRANTS,
        postgresql_where=GRANTS,
    )
    op.create_index("ix_jobs_guild_id_user_id_state", "jobs", ["guild_id", "user_id", "state"])
