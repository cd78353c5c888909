"""The group that a programme belongs to, its goal, and since when that goal is known."""

from alembic import op

revision = "scoring_0008"
down_revision = "scoring_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table programmes add column goal_group text not null default '',"
        " add column goal jsonb not null default '{}', add column goal_since date"
    )


def downgrade() -> None:
    op.execute("alter table programmes drop column goal_group, drop column goal, drop column goal_since")
