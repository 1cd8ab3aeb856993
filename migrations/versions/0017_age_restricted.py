"""Jobs keep whether they were asked for in an age-restricted channel, which may be deleted since."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("age_restricted", sa.Boolean()))
