"""The best moment: who was asked and answered when.

Revision ID: trigger_0007
Revises: trigger_0006
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0007"
down_revision = "trigger_0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    # When a person, not a machine, answered.
    "alter table asks add column heard_at timestamptz",
    # Only ever added to by those who hear of deliveries and answers, so that nobody waits for a count.
    """
    create table slot_news (
        id bigint generated always as identity primary key,
        segment text not null,
        day date not null,
        band int not null,
        asked int not null,
        answered int not null
    )
    """,
    """
    create table slot_days (
        segment text not null,
        day date not null,
        band int not null,
        asked int not null,
        answered int not null,
        primary key (segment, day, band)
    )
    """,
    # What choices are made by; the same for a day.
    """
    create table slots (
        segment text not null,
        weekday int not null,
        band int not null,
        asked int not null,
        answered int not null,
        as_of date not null,
        primary key (segment, weekday, band)
    )
    """,
    "create table slots_learned (only_row boolean primary key default true check (only_row), as_of date)",
    "insert into slots_learned (as_of) values (null)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
