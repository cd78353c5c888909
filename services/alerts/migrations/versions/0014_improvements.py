"""Improvement actions, the cases they come from, and who was told of them.

Revision ID: alerts_0014
Revises: alerts_0013
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0014"
down_revision = "alerts_0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table improvements (
        id uuid primary key,
        title text not null,
        theme text not null,
        programme text not null,
        product text not null,
        impact smallint not null check (impact between 1 and 5),
        effort smallint not null check (effort between 1 and 5),
        owner uuid not null,
        due_on date not null,
        stage text not null check (stage in ('proposed', 'planned', 'under_way', 'shipped', 'measured',
            'dropped')),
        version int not null,
        opened_by uuid not null,
        opened_at timestamptz not null,
        shipped_at timestamptz,
        ended_at timestamptz,
        constraint improvements_shipped check ((stage in ('shipped', 'measured')) = (shipped_at is not null)),
        constraint improvements_ended check ((stage in ('measured', 'dropped')) = (ended_at is not null))
    )
    """,
    "create index improvements_ended_at on improvements (ended_at desc, id desc) where ended_at is not null",
    """
    create table improvement_cases (
        improvement_id uuid not null references improvements (id),
        ticket_id uuid not null references tickets (id),
        at timestamptz not null,
        by_user uuid not null,
        primary key (improvement_id, ticket_id)
    )
    """,
    "create index improvement_cases_by_ticket on improvement_cases (ticket_id)",
    """
    create table improvement_lines (
        id bigint generated always as identity primary key,
        improvement_id uuid not null references improvements (id),
        at timestamptz not null,
        by_user uuid not null,
        did text not null,
        data jsonb not null,
        note text not null
    )
    """,
    "create index improvement_lines_of on improvement_lines (improvement_id, id)",
    "alter table messages add column improvement_id uuid references improvements (id)",
    "create index messages_by_improvement on messages (improvement_id) where improvement_id is not null",
    # Scores before and after a change are counted from these.
    "create index answers_by_programme on answers (programme, received_at)",
    "create index tickets_by_cause on tickets (cause, opened_at) where cause <> ''",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
