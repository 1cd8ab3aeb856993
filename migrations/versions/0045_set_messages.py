"""A set's jobs are posted together; each knows in which of the set's messages.

What an earlier version has posted one by one stays as it is.
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("set_message", sa.Integer()))
