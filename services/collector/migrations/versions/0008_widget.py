"""Which contact is meant by the id that the customer's product knows it by."""

from alembic import op

revision = "collector_0008"
down_revision = "collector_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create table widget_contacts (external_id text primary key, contact_id uuid not null)")
    op.execute("create index widget_contacts_contact on widget_contacts (contact_id)")
    op.execute("comment on column widget_contacts.external_id is 'In the customer''s system.'")


def downgrade() -> None:
    op.execute("drop table widget_contacts")
