"""What messages of a programme would say, before anybody was asked."""

from alembic import op

revision = "dispatch_0006"
down_revision = "dispatch_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table programmes
            add column texts text not null default '', add column channels text[] not null default '{}'
        """
    )


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
