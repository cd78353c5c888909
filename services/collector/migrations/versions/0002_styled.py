"""Which answers came from a page that loads a style sheet of its own."""

from alembic import op

revision = "collector_0002"
down_revision = "collector_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Answers of older pages cannot be held against a style sheet that nobody asked their browsers to load.
    op.execute("alter table answers add column styled boolean not null default false")
    op.execute("alter table answers alter column styled set default true")
    op.execute("alter table observations add column page timestamptz")
    op.execute("comment on column observations.page is 'Of a style sheet: when its page was rendered.'")


def downgrade() -> None:
    op.execute("alter table answers drop column styled")
    op.execute("alter table observations drop column page")
