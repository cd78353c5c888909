"""Scores that are published, the words beside them, and consents that were taken back.

Revision ID: scoring_0016
Revises: scoring_0015
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0016"
down_revision = "scoring_0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table badges (
        badge_id uuid primary key,
        key text not null unique,
        label text not null,
        programme text not null,
        family text not null,
        metric text not null,
        period text not null,
        least int not null,
        published_at timestamptz not null,
        published_by text not null,
        taken_back_at timestamptz,
        taken_back_by text not null default '',
        reason text not null default '',
        constraint badges_reason check ((taken_back_at is null) = (reason = ''))
    )
    """,
    # A quote is what somebody read and chose: this version of the answer and no other.
    """
    create table badge_quotes (
        badge_id uuid not null references badges,
        response_id uuid not null,
        version int not null,
        chosen_at timestamptz not null,
        chosen_by text not null,
        primary key (badge_id, response_id)
    )
    """,
    """
    create table unquoted (
        response_id uuid primary key,
        version int not null,
        at timestamptz not null,
        by text not null
    )
    """,
    "comment on table unquoted is 'Answers whose consent to be quoted was taken back by word, not in them.'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table unquoted, badge_quotes, badges")
