"""What pages and the API show of a person or a company, read without locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.reasons import Reason
from shared.db.database import Connection

_PLANS = """
select programme, due_at, waits_for, contact_id from plans
where state = 'pending' and shadow is not true and (contact_id = any($1) or account_id = any($2))
order by due_at limit $3
"""
_ASKS = """
(select programme, asked_at, state, answered_at, contact_id from asks
where contact_id = any($1) or account_id = any($2) order by asked_at desc limit $3)
union all
(select $4, asked_at, case when returned_at is null then 'open' else 'released' end, null, contact_id
from invitations where contact_id = any($1) or account_id = any($2) order by asked_at desc limit $3)
order by asked_at desc limit $3
"""


@dataclass(frozen=True, slots=True)
class Ahead:
    """Something that is planned, when it is looked at next, and what it waits for."""

    programme: str
    due_at: datetime
    waits_for: Reason | None
    contact_id: UUID | None


@dataclass(frozen=True, slots=True)
class Past:
    """Something that was asked, and what became of it; an invitation to take part has no programme."""

    programme: str
    asked_at: datetime
    state: str
    answered_at: datetime | None
    contact_id: UUID


async def planned(
    conn: Connection, contacts: Sequence[UUID], accounts: Sequence[UUID], limit: int = 20
) -> list[Ahead]:
    """What is planned for people and companies, the next first."""
    return [
        Ahead(
            row["programme"],
            row["due_at"],
            Reason(row["waits_for"]) if row["waits_for"] else None,
            row["contact_id"],
        )
        for row in await conn.fetch(_PLANS, contacts, accounts, limit)
    ]


async def asked(
    conn: Connection, contacts: Sequence[UUID], accounts: Sequence[UUID], limit: int = 20
) -> list[Past]:
    """What people and companies were asked, and what they were invited to, newest first."""
    return [Past(**dict(row)) for row in await conn.fetch(_ASKS, contacts, accounts, limit, "")]
