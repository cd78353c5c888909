"""What was promised to whoever answers."""

from alembic import op

revision = "collector_0012"
down_revision = "collector_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table surveys add column incentive text not null default ''")
    op.execute(
        "comment on column surveys.incentive is "
        "'What was promised to whoever answers, as JSON by language; empty: nothing.'"
    )


def downgrade() -> None:
    op.execute("alter table surveys drop column incentive")
