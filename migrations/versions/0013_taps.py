"""Jobs keep the emoji that was tapped for them, so that taking it away finds them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("tapped", sa.Text()))
