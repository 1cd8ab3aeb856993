"""A request is counted by the process that sends it: several may send with one key."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
beside_earlier = True


def upgrade() -> None:
    op.add_column("lane_requests", sa.Column("epoch", sa.BigInteger()))
