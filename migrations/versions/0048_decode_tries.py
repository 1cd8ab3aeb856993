"""Tries to decode files are counted in their jobs' rows."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("decodes")
    op.add_column("jobs", sa.Column("decode_tries", sa.Integer()))
