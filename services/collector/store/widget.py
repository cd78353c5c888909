"""Surveys that wait for somebody inside the customer's own product."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from shared.db.database import Connection

_LEARN = """
insert into widget_contacts as w (external_id, contact_id)
select t.external_id, t.contact_id from unnest($1::text[], $2::uuid[]) as t (external_id, contact_id)
where not exists (select from erased_contacts e where e.contact_id = t.contact_id)
order by t.external_id
on conflict (external_id) do update set contact_id = excluded.contact_id
    where w.contact_id <> excluded.contact_id
"""

# In-app hand-overs are the invitation: what dispatch gave to this channel waits here to be fetched.
_PENDING = """
select s.survey_id from surveys s
where s.contact_id = $1 and s.state = 'open' and s.closes_at > $2
    and exists (
        select from hand_overs h
        where h.survey_id = s.survey_id and h.channel = 'in_app' and h.handed_over_at is not null
    )
    and not exists (
        select from answers a where a.survey_id = s.survey_id and a.complete
            and coalesce(a.verdict = 'human' or a.released_by is not null, true)
    )
order by s.closes_at, s.survey_id limit 1
"""


async def learn(conn: Connection, contacts: Mapping[str, UUID]) -> None:
    """Keep which contact the customer's own id means, as long as the contact is not erased."""
    await conn.execute(_LEARN, list(contacts), list(contacts.values()))


async def contact_of(conn: Connection, external_id: str) -> UUID | None:
    """The contact of such an id."""
    found: UUID | None = await conn.fetchval(
        "select contact_id from widget_contacts where external_id = $1", external_id
    )
    return found


async def pending(conn: Connection, contact_id: UUID, now: datetime) -> UUID | None:
    """The open survey of a contact that waits in the product and closes first."""
    found: UUID | None = await conn.fetchval(_PENDING, contact_id, now)
    return found


async def belongs(conn: Connection, survey_id: UUID, contact_id: UUID) -> bool:
    """Whether a survey asks this contact."""
    statement = "select true from surveys where survey_id = $1 and contact_id = $2"
    return bool(await conn.fetchval(statement, survey_id, contact_id))
