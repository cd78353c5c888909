"""What timelines say of how quickly cases are taken care of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from services.alerts.domain.care import KINDS, Cared, Line, rounds
from services.alerts.domain.model import Kind
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose cases are meant: those of a team, "" for the shared rota, and of an owner; None for all.

    Attributes:
        nobody: only those without owner.
    """

    team: str | None = None
    owner: UUID | None = None
    nobody: bool = False


async def since(conn: Connection, start: datetime, until: datetime, whose: Whose) -> list[Cared]:
    """The rounds of cases that began in a span, by case and time."""
    rows = await conn.fetch(
        """
        select t.id, t.team, t.owner, l.kind, l.at, coalesce(l.data ->> 'clock', '') as clock,
            coalesce(l.data ->> 'level', '0')::int as level, coalesce(l.data ->> 'action', '') as action
        from tickets t join timeline l on l.ticket_id = t.id and l.kind = any($6)
        where t.started_at >= $1 and t.opened_at < $2
            and ($3::text is null or t.team = $3) and ($4::uuid is null or t.owner = $4)
            and (not $5 or t.owner is null)
        order by t.id, l.id
        """,
        start,
        until,
        whose.team,
        whose.owner,
        whose.nobody,
        [kind.value for kind in KINDS],
    )
    found = []
    for (_, team, owner), lines in groupby(rows, key=lambda row: (row["id"], row["team"], row["owner"])):
        told = (Line(Kind(r["kind"]), r["at"], r["clock"], r["level"], r["action"]) for r in lines)
        found += [Cared(team, owner, one) for one in rounds(told) if start <= one.started_at < until]
    return found
