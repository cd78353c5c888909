"""What comes in today is written side by side: keys and indexes that begin with the day.

An index that begins with an id is written at as many places as there are answers in a batch: with millions
of them each place is a page of its own, in no cache and written whole to the log. Keys of cells begin with
rollup and day now, and the index of answers by contact with the 32 days that an answer falls into
(`store/stretches.py`).

All are built while nobody reads or writes: among ten million answers that takes about a minute.

Revision ID: scoring_0030
Revises: scoring_0029
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0030"
down_revision = "scoring_0029"
branch_labels = None
depends_on = None

_STRETCH = "((day - date '2000-01-01') / 32)"
STATEMENTS = (
    "drop index answer_facts_contact",
    f"""
    create index answer_facts_contact on answer_facts ({_STRETCH}, contact_id)
        where contact_id is not null
    """,
    # The key finds days of a rollup by itself, so it needs no index for them.
    "drop index score_cells_rollup, rate_cells_rollup",
    "alter table score_cells drop constraint score_cells_pkey",
    "alter table score_cells add primary key (rollup, day, value, metric, family)",
    "alter table rate_cells drop constraint rate_cells_pkey",
    "alter table rate_cells add primary key (rollup, day, value, family)",
    # What is known of an expression is learned with its index; plans need it at once.
    "analyze answer_facts, score_cells, rate_cells",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("alter table rate_cells drop constraint rate_cells_pkey")
    op.execute("alter table rate_cells add primary key (family, rollup, value, day)")
    op.execute("alter table score_cells drop constraint score_cells_pkey")
    op.execute("alter table score_cells add primary key (metric, family, rollup, value, day)")
    op.execute("create index score_cells_rollup on score_cells (rollup, day)")
    op.execute("create index rate_cells_rollup on rate_cells (rollup, day)")
    op.execute("drop index answer_facts_contact")
    op.execute("create index answer_facts_contact on answer_facts (contact_id) where contact_id is not null")
