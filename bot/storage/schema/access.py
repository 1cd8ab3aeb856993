"""The tables of access rules and limits, and of members who refuse the use of their photos."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text

from bot.base import Choice, UtcDateTime, metadata
from bot.domain.access import AccessList, Permit, PhotoScope

# An empty column, like a server without a row, has the default of `AccessRules`, `MemberLimits` or
# `WordPause`.
policies = Table(
    "policies",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("photos", Choice(PhotoScope)),
    Column("portraits", Choice(PhotoScope)),
    Column("private_for", Choice(Permit)),
    Column("extra_for", Choice(Permit)),
    Column("jobs_at_once", Integer),
    Column("starts", Integer),
    Column("starts_seconds", Integer),
    Column("refusals", Integer),
    Column("pause_hours", Integer),
    Column("approval_channel", BigInteger),
    Column("approver_role", BigInteger),
    Column("approval_everyone", Boolean),
    Column("approval_results", Boolean),
)

# `target` is the tool's slug, where the list is a tool's.
access_lists = Table(
    "access_lists",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("list", Choice(AccessList), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("subject_id", BigInteger, primary_key=True, autoincrement=False),
)

# Members whose photos only they may use, in any server.
photo_refusals = Table(
    "photo_refusals",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
)
