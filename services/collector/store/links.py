"""Shared links as operators look after them: what came of each, and who came too late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from shared.contracts.model import Snapshot
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link with its answers.

    Attributes:
        shared_at: When it was made; None for one that was made before that was told.
        shared_by: Id of an operator or a key, or "CLI"; likewise withdrawn_by.
        counted: Answers that count now.
        held: Answers that look machine-made and count nowhere.
        refused: How often somebody came after it had ended.
    """

    link_id: UUID
    snapshot: Snapshot
    questionnaire: str
    shared_at: datetime | None
    shared_by: str
    closes_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str
    reason: str
    counted: int
    held: int
    refused: int


_LISTED = """
select l.link_id, l.snapshot, l.questionnaire, l.shared_at, l.shared_by, l.closes_at, l.withdrawn_at,
    l.withdrawn_by, l.reason, coalesce(a.counted, 0) as counted, coalesce(a.held, 0) as held,
    coalesce(r.refused, 0) as refused
from shared_links l
left join (
    select s.link_id, count(*) filter (where p.state = 'counted') as counted,
        count(*) filter (where p.state = 'held') as held
    from surveys s join responses p using (survey_id)
    where s.link_id is not null and ($1::uuid[] is null or s.link_id = any($1))
    group by s.link_id
) a using (link_id)
left join (select link_id, sum(times) as refused from link_refusals group by link_id) r using (link_id)
where $1::uuid[] is null or l.link_id = any($1)
order by l.withdrawn_at is not null, l.closes_at <= $2, l.shared_at desc nulls last, l.link_id
"""

_REFUSED = """
insert into link_refusals as r (link_id, day, why, times) values ($1, $2, $3, 1)
on conflict (link_id, day, why) do update set times = r.times + 1
"""


async def listed(conn: Connection, now: datetime, only: Sequence[UUID] | None = None) -> list[LinkRow]:
    """All links, or these; those that may be answered by first, the newest first."""
    rows = await conn.fetch(_LISTED, None if only is None else list(only), now)
    return [
        LinkRow(**(dict(row) | {"snapshot": Snapshot.model_validate_json(row["snapshot"])})) for row in rows
    ]


async def note_refusal(conn: Connection, link: UUID, day: date, *, withdrawn: bool) -> None:
    """Count somebody who came when the link had ended."""
    await conn.execute(_REFUSED, link, day, "withdrawn" if withdrawn else "closed")
