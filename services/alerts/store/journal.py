"""The delivery log: every notice of a ticket with every attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to hand a notice over; `at` is business time."""

    attempt: int
    at: datetime
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class Logged:
    """A notice and what became of it."""

    id: UUID
    occasion: str
    step: str
    channel: str
    recipient: str
    state: str
    created_at: datetime
    attempts: Sequence[Attempt]


async def of_ticket(conn: Connection, ticket_id: UUID) -> list[Logged]:
    """The notices of a ticket in the order in which they were wanted."""
    rows = await conn.fetch(
        """
        select n.id, n.occasion, n.step, n.channel, n.recipient, n.state, n.created_at,
            a.attempt, a.at, a.outcome, a.detail
        from notices n left join notice_attempts a on a.notice_id = n.id
        where n.ticket_id = $1 order by n.created_at, n.id, a.attempt
        """,
        ticket_id,
    )
    found: dict[UUID, Logged] = {}
    attempts: dict[UUID, list[Attempt]] = {}
    for row in rows:
        mine = attempts.setdefault(row["id"], [])
        found.setdefault(
            row["id"],
            Logged(
                row["id"], row["occasion"], row["step"], row["channel"], row["recipient"], row["state"],
                row["created_at"], mine,
            ),
        )  # fmt: skip
        if row["attempt"] is not None:
            mine.append(Attempt(row["attempt"], row["at"], row["outcome"], row["detail"]))
    return list(found.values())
