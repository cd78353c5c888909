"""What somebody said by a text message may be taken back by one."""

from __future__ import annotations

from alembic import op

revision = "dispatch_0012"
down_revision = "dispatch_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "comment on column lifted_suppressions.grounds is 'agreed, works_again or mistake when somebody took "
        "it off; taken_back when the person did, by START after STOP; null when a consent of theirs did.'"
    )
    # Entries of people are found by whom they are about, too.
    op.execute("create index suppressions_person on suppressions (contact_id) where kind = 'contact'")


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
