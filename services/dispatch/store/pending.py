"""Surveys that wait in a product for their person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db.database import Connection

_PENDING = """
select m.delivery_id, m.survey_id, m.snapshot, m.delivered_at, s.slots, s.closes_at, t.content as texts,
    coalesce(a.started, false) as started
from messages m
join surveys s on s.survey_id = m.survey_id
join texts t on t.digest = s.texts_digest
left join answers a on a.survey_id = m.survey_id
left join contacts c on c.contact_id = m.contact_id
where m.contact_id = $1 and m.channel = 'in_app' and m.state = 'handed_over'
    and s.cancelled_as is null and not s.closed and s.closes_at > $2
    and not coalesce(a.answered, false) and not coalesce(a.held, false)
    and c.erased_at is null and not coalesce(c.opted_out, false)
    and not exists (select from suppressions x where x.kind = 'contact' and x.subject = m.contact_id::text
        and x.programme in ('', m.programme))
order by m.finished_at, m.delivery_id limit 20
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """A survey that nobody has answered yet; `started`: its first step is there. Nothing of the person."""

    delivery_id: UUID
    survey_id: UUID
    snapshot: str
    texts: str
    slots: Mapping[str, str]
    closes_at: datetime
    started: bool
    seen: bool


async def pending(conn: Connection, contact_id: UUID, now: datetime) -> list[Pending]:
    """What waits for somebody in the product, the oldest first; nothing for whoever said stop."""
    return [
        Pending(
            delivery_id=row["delivery_id"],
            survey_id=row["survey_id"],
            snapshot=row["snapshot"],
            texts=row["texts"],
            slots=json.loads(row["slots"]),
            closes_at=row["closes_at"],
            started=row["started"],
            seen=row["delivered_at"] is not None,
        )
        for row in await conn.fetch(_PENDING, contact_id, now)
    ]


async def survey_exists(conn: Connection, survey_id: UUID) -> bool:
    """Whether a survey is known here and may still be answered."""
    return bool(
        await conn.fetchval(
            "select true from surveys where survey_id = $1 and cancelled_as is null and not closed", survey_id
        )
    )
