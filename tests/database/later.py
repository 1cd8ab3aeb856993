"""A migration that a later version of the bot might have."""

from pathlib import Path

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None


def upgrade() -> None:
    {statement}
"""


def add_revision(scripts: Path, revision: str, before: str, statement: str) -> None:
    text = NEXT.format(revision=revision, before=before, statement=statement)
    (scripts / f"{revision}.py").write_text(text, "utf-8")
