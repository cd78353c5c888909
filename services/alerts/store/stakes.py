"""What is at stake in cases, for many at once."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from services.alerts.domain.priority import Stake
from shared.contracts.forms import QuestionType
from shared.contracts.model import Persona, Tier
from shared.db.database import Connection

_STAKES = """
select t.id, coalesce(nullif(c.tier, ''), t.snapshot ->> 'tier', '') as tier, c.renewal_on, c.annual_value,
    t.denied_at is not null as denied, v.lowest, v.scale, v.people, v.personas
from tickets t
left join merged m on m.former = t.case_key
left join accounts c on c.account_id = coalesce(m.id, t.case_key)
cross join lateral (
    select (array_agg(a.score order by a.score nulls last, v.place))[1] as lowest,
        (array_agg(a.scale order by a.score nulls last, v.place))[1] as scale,
        count(distinct coalesce(f.id, v.contact_id))::int as people,
        array_remove(array_agg(distinct a.snapshot ->> 'persona'), null) as personas
    from voices v join answers a using (response_id) left join merged f on f.former = v.contact_id
    where v.ticket_id = t.id and v.state = 'unhappy'
) v
where t.id = any($1) and v.lowest is not null
"""


async def of_tickets(conn: Connection, ticket_ids: Collection[UUID]) -> dict[UUID, Stake]:
    """What is at stake in each; those in which nobody is unhappy are left out."""
    rows = await conn.fetch(_STAKES, list(ticket_ids))
    return {
        r["id"]: Stake(
            Tier(r["tier"]) if r["tier"] else None,
            r["lowest"],
            QuestionType(r["scale"]),
            r["people"],
            frozenset(map(Persona, r["personas"])),
            r["renewal_on"],
            r["annual_value"],
            r["denied"],
        )
        for r in rows
    }
