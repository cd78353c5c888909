"""Single answers that improvements come from: comments of people who have no case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.forms import QuestionType
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Comment:
    """An answer that an improvement comes from."""

    response_id: UUID
    account_name: str
    at: datetime
    score: int | None
    scale: QuestionType


async def case_of(conn: Connection, response_id: UUID) -> UUID | None:
    """The case in which an answer is a voice."""
    found: UUID | None = await conn.fetchval(
        "select ticket_id from voices where response_id = $1", response_id
    )
    return found


async def link(conn: Connection, improvement_id: UUID, response_id: UUID, by: UUID, now: datetime) -> bool:
    """Note that an improvement comes from an answer; false when that is known, or there is no such answer."""
    new = await conn.fetchval(
        """
        insert into improvement_answers (improvement_id, response_id, at, by_user)
        select $1, response_id, $3, $4 from answers where response_id = $2
        on conflict do nothing returning true
        """,
        improvement_id,
        response_id,
        now,
        by,
    )
    return bool(new)


async def unlink(conn: Connection, improvement_id: UUID, response_id: UUID) -> bool:
    """It does not come from this answer; false when that is known already."""
    gone = await conn.fetchval(
        "delete from improvement_answers where improvement_id = $1 and response_id = $2 returning true",
        improvement_id,
        response_id,
    )
    return bool(gone)


async def comments(conn: Connection, improvement_id: UUID) -> list[Comment]:
    """The answers that an improvement comes from beside its cases, the newest first."""
    rows = await conn.fetch(
        """
        select a.response_id, coalesce(nullif(c.name, ''), a.snapshot ->> 'account_name') as account_name,
            a.received_at, a.score, a.scale
        from improvement_answers i join answers a using (response_id)
        left join merged m on m.former = a.account_id
        left join accounts c on c.account_id = coalesce(m.id, a.account_id)
        where i.improvement_id = $1 order by a.received_at desc, a.response_id
        """,
        improvement_id,
    )
    return [
        Comment(said, name or "", at, score, QuestionType(scale))
        for said, name, at, score, scale in map(tuple, rows)
    ]
