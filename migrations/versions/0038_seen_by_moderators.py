"""People are asked before a private job that moderators see."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

WHY = "why IN ('first_tap', 'price', 'dearer', 'seen')"


def upgrade() -> None:
    with op.batch_alter_table("confirmations") as confirmations:
        if op.get_bind().dialect.name != "sqlite":  # where a table that is made anew has no checks
            confirmations.drop_constraint(op.f("ck_confirmations_why"), type_="check")
        confirmations.create_check_constraint(op.f("ck_confirmations_why"), WHY)
