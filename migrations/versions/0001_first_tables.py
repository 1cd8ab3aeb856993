"""The first tables: servers and their keys, jobs, the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
CHOICE = sa.String(16)


def upgrade() -> None:
    _create_settings()
    _create_jobs()
    _create_ledger()
    _create_lane_requests()


def _create_settings() -> None:
    op.create_table(
        "studii_keys",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("plan", CHOICE, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.CheckConstraint("plan IN ('pro', 'team', 'business')", name="ck_studii_keys_plan"),
        sa.PrimaryKeyConstraint("id", name="pk_studii_keys"),
    )
    op.create_index("ix_studii_keys_guild_id", "studii_keys", ["guild_id"])
    op.create_index("ix_studii_keys_lane", "studii_keys", ["lane"])
    op.create_table(
        "guilds",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=True),
        sa.Column("key_changed_at", MOMENT, nullable=True),
        sa.Column("budget_limit", sa.Integer(), nullable=True),
        sa.Column("budget_period", CHOICE, nullable=True),
        sa.Column("budget_since", MOMENT, nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "budget_period IN ('day', 'week', 'month', 'total')", name="ck_guilds_budget_period"
        ),
        sa.ForeignKeyConstraint(["key_id"], ["studii_keys.id"], name="fk_guilds_key_id"),
        sa.PrimaryKeyConstraint("guild_id", name="pk_guilds"),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=True),
        sa.Column("source_type", sa.Text(), nullable=True),
        sa.Column("source_size", sa.BigInteger(), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("state", CHOICE, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("estimate", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.Column("resolved_at", MOMENT, nullable=True),
        sa.Column("charged", sa.Integer(), nullable=True),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("source_file", sa.Text(), nullable=True),
        sa.Column("key_id", sa.BigInteger(), nullable=True),
        sa.Column("object_key", sa.Text(), nullable=True),
        sa.Column("studii_id", sa.Text(), nullable=True),
        sa.Column("status_url", sa.Text(), nullable=True),
        sa.Column("studii_status", sa.Text(), nullable=True),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("output_url", sa.Text(), nullable=True),
        sa.Column("output_kind", sa.Text(), nullable=True),
        sa.Column("output_file", sa.Text(), nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("failure", CHOICE, nullable=True),
        sa.Column("failure_text", sa.Text(), nullable=True),
        sa.Column("card_message_id", sa.BigInteger(), nullable=True),
        sa.Column("card_version", sa.Integer(), nullable=False),
        sa.Column("posting", sa.Integer(), nullable=False),
        sa.Column("result_message_id", sa.BigInteger(), nullable=True),
        sa.Column("announced_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'waiting', 'uploading', 'submitting', 'running',"
            " 'succeeded', 'failed', 'cancelled', 'unknown')",
            name="ck_jobs_state",
        ),
        sa.ForeignKeyConstraint(["key_id"], ["studii_keys.id"], name="fk_jobs_key_id"),
        sa.PrimaryKeyConstraint("number", name="pk_jobs"),
        sa.UniqueConstraint("id", name="uq_jobs_id"),
    )
    op.create_index("ix_jobs_guild_id_user_id_number", "jobs", ["guild_id", "user_id", "number"])
    op.create_index("ix_jobs_key_id_state", "jobs", ["key_id", "state"])
    op.create_index(
        "ix_jobs_stale_cards",
        "jobs",
        ["changed_at"],
        unique=False,
        sqlite_where=sa.text("card_message_id IS NOT NULL AND card_version < version"),
        postgresql_where=sa.text("card_message_id IS NOT NULL AND card_version < version"),
    )
    op.create_index("ix_jobs_state_number", "jobs", ["state", "number"])
    op.create_index(
        "ix_jobs_unannounced",
        "jobs",
        ["state", "changed_at"],
        unique=False,
        sqlite_where=sa.text("announced_at IS NULL"),
        postgresql_where=sa.text("announced_at IS NULL"),
    )
    op.create_index("ix_jobs_usage", "jobs", ["guild_id", "created_at", "user_id", "settled", "reserved"])


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("job_id", sa.String(length=16), nullable=True),
        sa.Column("kind", CHOICE, nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('reserve', 'correct', 'settle', 'release', 'grant', 'adjust')", name="ck_ledger_kind"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_ledger_job_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
    )
    op.create_index("ix_ledger_guild_id_at", "ledger", ["guild_id", "at"])
    op.create_index("ix_ledger_job_id", "ledger", ["job_id"])
    op.create_index(
        "uq_ledger_once",
        "ledger",
        ["job_id", "kind"],
        unique=True,
        sqlite_where=sa.text("kind IN ('reserve', 'settle', 'release')"),
        postgresql_where=sa.text("kind IN ('reserve', 'settle', 'release')"),
    )
    op.create_table(
        "prices",
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("charge", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tool", "variant", name="pk_prices"),
    )


def _create_lane_requests() -> None:
    op.create_table(
        "lane_requests",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lane_requests"),
    )
    op.create_index("ix_lane_requests_lane_at", "lane_requests", ["lane", "at"])
