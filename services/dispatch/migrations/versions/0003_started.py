"""Who began an answer is reminded in other words; held answers are told apart."""

from alembic import op

revision = "dispatch_0003"
down_revision = "dispatch_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table answers
            add column started boolean not null default false, add column held boolean not null default false
        """
    )


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
