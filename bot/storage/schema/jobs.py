"""The tables of jobs and of their files."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from bot.base import Choice, ReasonText, UtcDateTime, enum_constraint, metadata, partial_index
from bot.domain import FailureCode, JobState
from bot.domain.approvals import Approval

# A job that no interaction started waits for the bot to post its card; version 0 is shown by none.
NO_CARD_YET = "origin_message_id IS NOT NULL AND card_message_id IS NULL AND card_version = 0"
# The answer to a command should have shown the card, and it is not stored whether it did.
CARD_NEVER_SEEN = "origin_message_id IS NULL AND card_message_id IS NULL AND card_version = 0"
# A posting has taken the card's place, and the card is still there.
SUPERSEDED_CARD = "card_superseded_at IS NOT NULL AND card_message_id IS NOT NULL"
GOING_OR_DONE = "once IS NOT NULL AND state NOT IN ('failed', 'cancelled')"

# `number` is the order of acceptance, which the wall clock may not tell. `decode_tries`
# are those since a decoder last answered of one of its files. `resolved_at` is the ledger's own:
# when the reservation was settled or released, which happens once. `epoch` is the process that has sent the
# job's last request (see `processes`).
jobs = Table(
    "jobs",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("tool", Text, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("variant", Text, nullable=False),
    Column("source_url", Text),
    Column("source_name", Text),
    Column("source_type", Text),
    Column("source_size", BigInteger),
    Column("private", Boolean, nullable=False),
    Column("state", Choice(JobState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("estimate", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    Column("resolved_at", UtcDateTime),
    Column("charged", Integer),
    Column("not_before", UtcDateTime),
    Column("held", ReasonText),
    Column("attempts", Integer, nullable=False),
    Column("source_file", Text),
    Column("key_id", BigInteger, ForeignKey("studii_keys.id")),
    Column("object_key", Text),
    Column("studii_id", Text),
    Column("status_url", Text),
    Column("studii_status", Text),
    Column("submitted_at", UtcDateTime),
    Column("output_url", Text),
    Column("output_kind", Text),
    Column("output_file", Text),
    Column("finished_at", UtcDateTime),
    Column("failure", Choice(FailureCode)),
    Column("failure_text", ReasonText),
    Column("card_message_id", BigInteger),
    Column("card_version", Integer, nullable=False),
    Column("posting", Integer, nullable=False),
    Column("result_message_id", BigInteger),
    Column("announced_at", UtcDateTime),
    Column("photo_author", BigInteger),
    Column("price_learned", Boolean),
    Column("allowance_role", BigInteger),
    Column("age_restricted", Boolean),
    Column("cancel_told", Boolean),
    Column("approval", Choice(Approval)),
    Column("result_approval", Choice(Approval)),
    Column("forgotten_at", UtcDateTime),
    Column("scrubbed_at", UtcDateTime),
    Column("origin_message_id", BigInteger),
    Column("once", Text),
    Column("tapped", Text),
    Column("source_message_id", BigInteger),
    Column("source_channel_id", BigInteger),
    Column("epoch", BigInteger),
    Column("card_superseded_at", UtcDateTime),
    Column("result_by_dm", Boolean),
    Column("post_channel_id", BigInteger),
    Column("result_channel_id", BigInteger),
    Column("in_thread", Boolean),
    Column("set_id", String(16)),
    Column("set_message", Integer),
    Column("decode_tries", Integer),
    enum_constraint("state", JobState),
    Index(None, "state", "number"),
    Index(None, "guild_id", "user_id", "number"),
    Index(None, "guild_id", "user_id", "state"),
    Index(None, "key_id", "state"),
    # Holds all that a sum needs, so that a month's usage is read from the index alone.
    Index("ix_jobs_usage", "guild_id", "created_at", "user_id", "settled", "reserved"),
    partial_index("ix_jobs_unannounced", "state", "changed_at", rows="announced_at IS NULL"),
    partial_index(
        "ix_jobs_stale_cards", "changed_at", rows="card_message_id IS NOT NULL AND card_version < version"
    ),
    partial_index("ix_jobs_wanted_cards", "state", "number", rows=NO_CARD_YET),
    partial_index("ix_jobs_lost_cards", "created_at", rows=CARD_NEVER_SEEN),
    partial_index("ix_jobs_superseded_cards", "card_superseded_at", rows=SUPERSEDED_CARD),
    partial_index("ix_jobs_results", "result_message_id", rows="result_message_id IS NOT NULL"),
    partial_index("ix_jobs_sets", "set_id", rows="set_id IS NOT NULL"),
    # Unfinished and succeeded jobs are not repeated. Failed and cancelled ones may be tried again.
    partial_index("uq_jobs_once", "once", unique=True, rows=GOING_OR_DONE),
)
