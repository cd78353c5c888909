"""What people do, by week and day, and the moments in it that may be worth a question.

Revision ID: trigger_0009
Revises: trigger_0008
"""

from __future__ import annotations

from alembic import op

revision = "trigger_0009"
down_revision = "trigger_0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `habit` is what somebody does: use of a product (or a feature of it) by week, help sought by day.
    """
    create table habits (
        contact_id uuid not null,
        habit text not null,
        day date not null,
        account_id uuid,
        times int not null,
        primary key (contact_id, habit, day)
    )
    """,
    "create index habits_day on habits using brin (day)",
    # What they come to, once a day.
    """
    create table spotted (
        habit text primary key,
        people int not null,
        accounts int not null,
        of_people int not null,
        days int not null,
        times int not null,
        usual double precision not null,
        as_of date not null
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
