"""A server's rules that are one value each are among its settings."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_MOVED = {
    "policies": {
        **dict.fromkeys(("photos", "portraits", "private_for", "extra_for"), sa.String(16)),
        **dict.fromkeys(("jobs_at_once", "starts", "starts_seconds"), sa.Integer()),
        **dict.fromkeys(("refusals", "pause_hours"), sa.Integer()),
        **dict.fromkeys(("approval_channel", "approver_role"), sa.BigInteger()),
        **dict.fromkeys(("approval_everyone", "approval_results"), sa.Boolean()),
    },
    "posting_rules": {
        **dict.fromkeys(("results_channel_id", "best_channel_id"), sa.BigInteger()),
        **dict.fromkeys(("in_threads", "splits"), sa.Boolean()),
        **dict.fromkeys(("disclosure", "staging_label"), sa.Text()),
        "staging_corner": sa.String(16),
        "best_stars": sa.Integer(),
    },
}


def upgrade() -> None:
    for table, columns in _MOVED.items():
        for name, kind in columns.items():
            op.add_column("guilds", sa.Column(name, kind))
        op.execute(
            f"INSERT INTO guilds (guild_id) SELECT guild_id FROM {table}"  # noqa: S608
            " WHERE guild_id NOT IN (SELECT guild_id FROM guilds)"
        )
        names = ", ".join(columns)
        op.execute(
            f"UPDATE guilds SET ({names}) ="  # noqa: S608
            f" (SELECT {names} FROM {table} WHERE {table}.guild_id = guilds.guild_id)"
        )
        op.drop_table(table)
