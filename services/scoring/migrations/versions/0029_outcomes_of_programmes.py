"""What customers had said in each programme before they stayed or left; whether unhappy answers are seen to.

Nothing is counted here: the service counts what is missing when it starts, and once an hour from then on, for
a process of the version before may go on writing what customers had said in all programmes alone.

Revision ID: scoring_0029
Revises: scoring_0028
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0029"
down_revision = "scoring_0028"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table programme_fates (
        account_id uuid not null references fates on delete cascade,
        programme text collate "C" not null,
        nps int not null, nps_given int not null, nps5 int not null, nps5_given int not null,
        csat int not null, csat_given int not null, ces int not null, ces_given int not null,
        primary key (account_id, programme)
    )
    """,
    "comment on table programme_fates is 'What fates count, of the answers to each programme alone.'",
    """
    create table programme_outcomes (
        programme text collate "C" not null,
        metric text collate "C" not null,
        mood text collate "C" not null,
        accounts int not null,
        churned int not null,
        primary key (programme, metric, mood)
    )
    """,
    """
    comment on table programme_outcomes is
        'What became of accounts within a year by what they had said in a programme; counted once in a while.'
    """,
    # Told when a programme is published again; not known until then.
    """
    alter table programmes add column touchpoints text[] not null default '{}', add column state text,
        add column follows_up bool
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table programmes drop column touchpoints, drop column state, drop column follows_up")
    op.execute("drop table programme_outcomes, programme_fates")
