"""Tasks after answers that are not unhappy, and referrals.

Revision ID: alerts_0012
Revises: alerts_0011
"""

from __future__ import annotations

from alembic import op

revision = "alerts_0012"
down_revision = "alerts_0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    # The key is derived of answer and kind; `subject` is the account or the contact that it is about.
    """
    create table tasks (
        id uuid primary key,
        kind text not null,
        subject uuid not null,
        response_id uuid not null references answers (response_id),
        contact_id uuid not null,
        account_id uuid,
        mood text not null,
        programme text not null,
        answered_at timestamptz not null,
        opened_at timestamptz not null,
        due_at timestamptz not null,
        owner uuid,
        owner_reason text not null,
        state text not null check (state in ('open', 'done', 'declined', 'dropped')),
        version int not null,
        touched boolean not null,
        consented_at timestamptz,
        ended_at timestamptz,
        constraint tasks_ended check ((state = 'open') = (ended_at is null))
    )
    """,
    "create unique index tasks_one_open on tasks (kind, subject) where state = 'open'",
    "create index tasks_by_subject on tasks (subject, kind)",
    "create index tasks_due on tasks (due_at, id) where state = 'open'",
    "create index tasks_ended_at on tasks (ended_at desc, id desc) where ended_at is not null",
    "create index tasks_by_response on tasks (response_id)",
    "create index tasks_by_contact on tasks (contact_id)",
    # What each answer led to, or why to nothing; the newest version of the answer decides.
    """
    create table task_decisions (
        response_id uuid not null references answers (response_id),
        kind text not null,
        contact_id uuid not null,
        at timestamptz not null,
        task_id uuid references tasks (id),
        reason text not null,
        primary key (response_id, kind),
        constraint task_decisions_one check ((task_id is null) = (reason <> ''))
    )
    """,
    "create index task_decisions_at on task_decisions (at desc, response_id) where reason <> ''",
    """
    create table task_lines (
        id bigint generated always as identity primary key,
        task_id uuid not null references tasks (id),
        at timestamptz not null,
        by_user uuid,
        did text not null,
        data jsonb not null,
        note text not null,
        note_contact uuid not null
    )
    """,
    "create index task_lines_by_task on task_lines (task_id, id)",
    """
    create table referrals (
        id uuid primary key,
        task_id uuid not null references tasks (id),
        contact_id uuid not null,
        programme text not null,
        reference text not null,
        who text not null,
        state text not null check (state in ('sent', 'lead', 'won', 'lost')),
        sent_at timestamptz not null,
        lead_at timestamptz,
        won_at timestamptz,
        lost_at timestamptz,
        unique (task_id, reference),
        constraint referrals_in_order check (
            (lead_at is null or lead_at >= sent_at) and (won_at is null or won_at >= lead_at)
            and (lost_at is null) = (state <> 'lost') and (won_at is null) = (state <> 'won'))
    )
    """,
    "create index referrals_sent_at on referrals (sent_at desc, id)",
    "create index referrals_by_contact on referrals (contact_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("a schema is never taken back: restore a backup instead")
