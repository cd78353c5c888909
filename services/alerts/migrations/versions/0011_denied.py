"""When a customer said that a resolved case is not mended, and who was asked about it.

Revision ID: alerts_0011
Revises: alerts_0010
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0011"
down_revision = "alerts_0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table tickets add column denied_at timestamptz",
    # Asked by a survey, the key is that survey's; refused beforehand, derived from case, run and person.
    """
    create table questions (
        question_id uuid primary key,
        ticket_id uuid not null references tickets (id),
        run int not null,
        contact_id uuid not null,
        programme text not null,
        state text not null check (state in ('planned', 'refused', 'asked', 'sent', 'unsent')),
        reason text not null default '',
        until timestamptz,
        at timestamptz not null
    )
    """,
    "create index questions_by_ticket on questions (ticket_id)",
    "create index timeline_denied on timeline (at) where kind = 'denied'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
