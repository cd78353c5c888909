"""Answers that were kept while the person was still at it."""

from alembic import op

revision = "collector_0004"
down_revision = "collector_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table answers add column draft boolean not null default false")
    op.execute("comment on column answers.draft is 'Kept on the way; nobody pressed the button.'")


def downgrade() -> None:
    op.execute("alter table answers drop column draft")
