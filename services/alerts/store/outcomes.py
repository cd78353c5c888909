"""How resolved cases turned out, summed by whose they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.alerts.domain.outcomes import Outcomes
from shared.db.database import Connection


async def since(
    conn: Connection, start: datetime, until: datetime | None = None
) -> dict[tuple[str, UUID | None], Outcomes]:
    """How cases turned out that ended in a span, or were said not to be mended in it; by team and owner."""
    rows = await conn.fetch(
        """
        with denied as (
            select distinct ticket_id from timeline
            where kind = 'denied' and at >= $1 and at < coalesce($2, 'infinity'::timestamptz)
                and not data ?| array['late', 'of']
        ), meant as (  -- each part by an index of its own
            select id from tickets
            where state = 'resolved' and how = 'person' and ended_at >= $1
                and ended_at < coalesce($2, 'infinity'::timestamptz)
            union select ticket_id from denied
        )
        select t.team, t.owner, count(*)::int as cases,
            (count(*) filter (where t.state = 'resolved' and t.confirmed_at is not null))::int as confirmed,
            count(d.ticket_id)::int as reopened,
            (count(*) filter (where t.state <> 'resolved'))::int as open
        from meant join tickets t using (id) left join denied d on d.ticket_id = t.id
        group by t.team, t.owner order by t.team, t.owner
        """,
        start,
        until,
    )
    return {(row["team"], row["owner"]): Outcomes(*tuple(row)[2:]) for row in rows}
