"""A day that is set for a renewal is no renewal: what customers had said before one is counted anew.

What they had said in each programme goes with it; the service counts what is missing when it starts.

Revision ID: scoring_0031
Revises: scoring_0030
"""

from __future__ import annotations

from alembic import op

revision = "scoring_0031"
down_revision = "scoring_0030"
branch_labels = None
depends_on = None

_FATES = """
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
"""


def upgrade() -> None:
    op.execute(
        "update happenings set kind = 'renewal_date' where kind = 'renewal' and event <> 'contract.renewed'"
    )
    op.execute("delete from fates")
    op.execute(_FATES)


def downgrade() -> None:
    op.execute("update happenings set kind = 'renewal' where kind = 'renewal_date'")
    op.execute("delete from fates")
    op.execute(_FATES)
