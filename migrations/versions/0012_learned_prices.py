"""Jobs keep whether what was set aside for them comes from past charges or was assumed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("price_learned", sa.Boolean()))
