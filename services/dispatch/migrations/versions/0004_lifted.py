"""Stops that a later yes has lifted stay to be looked up; who was merged into whom."""

from __future__ import annotations

from alembic import op

revision = "dispatch_0004"
down_revision = "dispatch_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table lifted_suppressions (
        kind text not null,
        subject text not null,
        programme text not null,
        reason text not null,
        via text not null,
        contact_id uuid,
        noted_at timestamptz not null,
        agreed_at timestamptz not null,
        lifted_at timestamptz not null,
        primary key (kind, subject, programme, noted_at)
    )
    """,
    "create index lifted_suppressions_lifted on lifted_suppressions (lifted_at)",
    "create index lifted_suppressions_contact on lifted_suppressions (contact_id)",
    (
        "comment on table lifted_suppressions is 'Former suppressions: the person agreed again at agreed_at, "
        "of which we heard at lifted_at.'"
    ),
    "create index suppressions_contact on suppressions (contact_id) where kind = 'address'",
    "alter table contacts add column merged_into uuid",
    "create index contacts_merged on contacts (merged_into) where merged_into is not null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
