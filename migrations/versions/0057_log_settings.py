"""A server's log channel is among its settings."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

_MOVE = """
UPDATE guilds SET
 log_channel_id = (SELECT channel_id FROM log_channels WHERE log_channels.guild_id = guilds.guild_id),
 log_results = (SELECT results FROM log_channels WHERE log_channels.guild_id = guilds.guild_id),
 requests_in_place = (
  SELECT requests_in_place FROM log_channels WHERE log_channels.guild_id = guilds.guild_id
 )
"""


def upgrade() -> None:
    op.add_column("guilds", sa.Column("log_channel_id", sa.BigInteger()))
    for column in ("log_results", "requests_in_place"):
        op.add_column("guilds", sa.Column(column, sa.Boolean()))
    op.execute(
        "INSERT INTO guilds (guild_id) SELECT guild_id FROM log_channels"
        " WHERE guild_id NOT IN (SELECT guild_id FROM guilds)"
    )
    op.execute(_MOVE)
    op.drop_table("log_channels")
