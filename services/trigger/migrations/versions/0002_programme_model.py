"""What programmes count, who takes part in what, how far series are begun, and groups.

Revision ID: trigger_0002
Revises: trigger_0001
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0002"
down_revision = "trigger_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Touchpoints of a subject that a programme with `nth` has seen.
    """
    create table tallies (
        programme text not null,
        subject text not null,
        seen int not null,
        primary key (programme, subject)
    )
    """,
    # People seen in events of a product, project or contract, or with a role at an account.
    """
    create table participants (
        subject text not null,
        contact_id uuid not null,
        role text not null,
        seen_at timestamptz not null,
        primary key (subject, contact_id)
    )
    """,
    "create index participants_contact on participants (contact_id)",
    # How far the accounts that were known before a programme have got their series.
    """
    create table seeding (
        programme text primary key,
        version text not null,
        after uuid not null,
        done boolean not null
    )
    """,
    """
    create table programme_groups (
        key text primary key,
        definition jsonb not null
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
