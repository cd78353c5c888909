"""Contacts that are known under another id now, so that they count once and what they said is theirs."""

from alembic import op

from shared.db.merged import MERGED_TABLE

revision = "scoring_0006"
down_revision = "scoring_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in MERGED_TABLE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table merged")
