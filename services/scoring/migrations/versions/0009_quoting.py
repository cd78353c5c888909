"""Which consent questions of a programme let words be quoted."""

from alembic import op

revision = "scoring_0009"
down_revision = "scoring_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table programmes add column quoting text[] not null default '{}'")


def downgrade() -> None:
    op.execute("alter table programmes drop column quoting")
