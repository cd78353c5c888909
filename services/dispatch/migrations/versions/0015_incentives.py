"""For which surveys something was promised, and what was given."""

from __future__ import annotations

from alembic import op

revision = "dispatch_0015"
down_revision = "dispatch_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Texts are kept once for all surveys of a programme version: few rows, and older ones are told apart too.
    op.execute(
        "alter table texts add column promises boolean generated always as "
        """(content like '%"incentive":{"%') stored"""
    )
    op.execute("comment on column texts.promises is 'Something is promised to whoever answers (R55).'")
    op.execute(
        "alter table answers add column redeemed boolean not null default false, "
        "add column redemption int not null default 0"
    )
    op.execute("comment on column answers.redemption is 'Version of the event that redeemed is of.'")


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
