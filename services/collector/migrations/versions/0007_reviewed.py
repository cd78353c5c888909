"""Held answers that somebody looked at and left held."""

from alembic import op

revision = "collector_0007"
down_revision = "collector_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table responses add column reviewed_by text")
    op.execute("comment on column responses.reviewed_by is 'Who left it held; cleared by its next event.'")


def downgrade() -> None:
    op.execute("alter table responses drop column reviewed_by")
