"""Whether the ledger answers for everybody: each person, each plan, each survey."""

from __future__ import annotations

from typing import Final

UNEXPLAINED: Final = """
with last as (
    select distinct on (plan_id) plan_id, outcome, reason from trigger.decisions
    where plan_id is not null and step = 0 order by plan_id, id desc
)
select 'nothing was ever decided about person ' || c.id as gap from trigger.contacts c
where not exists (select from trigger.decisions d where d.contact_id = c.id)
union all
select 'nothing was ever decided about account ' || a.id from trigger.accounts a
where not exists (select from trigger.decisions d where d.account_id = a.id)
union all
select 'plan ' || p.id || ' is ' || p.state || ', its last line says ' || coalesce(last.outcome, 'nothing')
from trigger.plans p
left join last on last.plan_id = p.id
left join trigger.asks a on a.plan_id = p.id
where p.state <> 'expanded' and not coalesce(case p.state
    when 'pending' then last.outcome in ('planned', 'deferred')
    when 'requested' then last.outcome = 'requested' or (last.outcome = 'cancelled' and a.state = 'cancelled')
    else last.outcome in (p.state, 'shadow') and last.reason = p.reason
end, false)
"""
"""What the ledger leaves open, one sentence a row.

A plan's last line must say what became of it: it waits, it was requested (and perhaps taken back), or it
ended for the reason that the plan itself keeps.
"""
