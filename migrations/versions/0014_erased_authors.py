"""Where it was erased whose photo a job was made from, it stays unknown: it may have been another's."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE jobs SET photo_author = 0 WHERE scrubbed_at IS NOT NULL AND photo_author IS NULL")
