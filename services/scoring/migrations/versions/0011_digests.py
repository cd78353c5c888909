"""Weekly digests: one row a week and person, so that nobody gets one twice. No address is kept."""

from alembic import op

revision = "scoring_0011"
down_revision = "scoring_0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table digests (
        week date not null,
        user_id uuid not null,
        state text not null default 'pending'
            check (state in ('pending', 'handing_over', 'sent', 'failed', 'uncertain')),
        attempts int not null default 0,
        planned_at timestamptz not null,
        next_at timestamptz not null,
        lease uuid,
        leased_until timestamptz,
        ended_at timestamptz,
        detail text not null default '',
        primary key (week, user_id)
    )
    """,
    "comment on table digests is 'next_at and leased_until are machine time, the others business time.'",
    "create index digests_waiting on digests (next_at) where state in ('pending', 'handing_over')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table digests")
