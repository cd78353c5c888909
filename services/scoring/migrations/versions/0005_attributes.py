"""Words for the attributes that programmes ask about, and which questions are about choosing a partner."""

from alembic import op

revision = "scoring_0005"
down_revision = "scoring_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table programmes add column attributes jsonb not null default '{}',"
        " add column brand text[] not null default '{}'"
    )


def downgrade() -> None:
    op.execute("alter table programmes drop column attributes, drop column brand")
