"""Closed months of cells, and what customers had said before they stayed or left.

No month is closed here: every span is read from days until the service has closed the months there are, one
after the other.

Revision ID: scoring_0019
Revises: scoring_0018
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0019"
down_revision = "scoring_0018"
branch_labels = None
depends_on = None

_MONTHS = (
    """
    create table closed_months (
        one bool primary key default true check (one),
        before date not null
    )
    """,
    "comment on table closed_months is 'Cells of days before this one are kept by month, too.'",
    "insert into closed_months (before) values ('-infinity')",
    """
    create table score_months (
        metric text collate "C" not null,
        family text collate "C" not null,
        rollup text collate "C" not null,
        value text collate "C" not null,
        month date not null,
        b0 int not null, b1 int not null, b2 int not null, b3 int not null, b4 int not null, b5 int not null,
        b6 int not null, b7 int not null, b8 int not null, b9 int not null, b10 int not null,
        primary key (rollup, month, value, metric, family)
    )
    """,
    """
    create table rate_months (
        family text collate "C" not null,
        rollup text collate "C" not null,
        value text collate "C" not null,
        month date not null,
        requested int not null,
        handed_over int not null,
        answered int not null,
        held int not null,
        primary key (rollup, month, value, family)
    )
    """,
    # Days around months are few: those of all values of a rollup lie side by side here.
    "create index score_cells_rollup on score_cells (rollup, day)",
    "create index rate_cells_rollup on rate_cells (rollup, day)",
)
_FATES = (
    """
    create table fates (
        account_id uuid primary key,
        kind text not null,
        day date not null,
        nps int not null, nps_given int not null, nps5 int not null, nps5_given int not null,
        csat int not null, csat_given int not null, ces int not null, ces_given int not null
    )
    """,
    "create index fates_day on fates (day)",
    """
    comment on table fates is
        'Accounts by their last renewal or end. nps ...: happy less unhappy answers of the 180 days before.'
    """,
    """
    insert into fates
    with ended as (
        select distinct on (1) coalesce(m.id, h.account_id) as account_id, kind, at::date as day
        from happenings h left join merged m on m.former = h.account_id
        where kind in ('churn', 'renewal') and h.account_id is not null order by 1, at desc, event_id, source
    )
    select e.account_id, e.kind, e.day,
        count(*) filter (where nps >= 9) - count(*) filter (where nps < 7), count(nps),
        count(*) filter (where nps5 >= 5) - count(*) filter (where nps5 < 4), count(nps5),
        count(*) filter (where csat >= 4) - count(*) filter (where csat < 3), count(csat),
        count(*) filter (where ces >= 6) - count(*) filter (where ces < 4), count(ces)
    from ended e left join answer_facts f on f.state = 'counted' and f.day < e.day and f.day >= e.day - 180
        and f.account_id = any (e.account_id || array(select former from merged m where m.id = e.account_id))
    group by e.account_id, e.kind, e.day
    """,
)
_INDEXES = (
    "drop index people_deciding",
    """
    create index people_deciding on people (account_id) include (contact_id)
        where persona = 'decision_maker'
    """,
)


def upgrade() -> None:
    for statement in (*_MONTHS, *_FATES, *_INDEXES):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop index people_deciding")
    op.execute("create index people_deciding on people (account_id) where persona = 'decision_maker'")
    op.execute("drop index rate_cells_rollup, score_cells_rollup")
    op.execute("drop table fates, rate_months, score_months, closed_months")
