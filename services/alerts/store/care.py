"""How quickly cases are taken care of: read off the cases, and off timelines where they opened again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from services.alerts.domain.care import KINDS, Cared, Line, Round, rounds
from services.alerts.domain.clocks import Level
from services.alerts.domain.model import Kind
from shared.contracts.tickets import TicketState
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


_MEANT = """
    ($3::text is null or t.team = $3) and ($4::uuid is null or t.owner = $4) and (not $5 or t.owner is null)
"""
# A case that was never opened again is in its one round: its row is as its timeline says.
_ONCE = f"""
select team, owner, opened_at, acknowledged_at, contacted_at,
    case when state = '{TicketState.RESOLVED.value}' then ended_at end, ended_at,
    told >= {int(Level.LATE)}, resolve_told
from tickets t where generation = 1 and opened_at >= $1 and opened_at < $2 and {_MEANT}
"""  # noqa: S608 - texts of our own
_AGAIN = f"""
select t.id, t.team, t.owner, l.kind, l.at, coalesce(l.data ->> 'clock', '') as clock,
    coalesce(l.data ->> 'level', '0')::int as level, coalesce(l.data ->> 'action', '') as action
from tickets t join timeline l on l.ticket_id = t.id and l.kind = any($6)
where t.generation > 1 and t.started_at >= $1 and t.opened_at < $2 and {_MEANT}
order by t.id, l.id
"""  # noqa: S608 - texts of our own


async def since(conn: Connection, start: datetime, until: datetime, whose: Whose) -> list[Cared]:
    """The rounds of cases that began in a span."""
    meant = (whose.team, whose.owner, whose.nobody)
    once = await conn.fetch(_ONCE, start, until, *meant)
    rows = await conn.fetch(_AGAIN, start, until, *meant, [kind.value for kind in KINDS])
    found = [Cared(team, owner, Round(*told)) for team, owner, *told in map(tuple, once)]
    for (_, team, owner), lines in groupby(rows, key=lambda row: (row["id"], row["team"], row["owner"])):
        told = (Line(Kind(r["kind"]), r["at"], r["clock"], r["level"], r["action"]) for r in lines)
        found += [Cared(team, owner, one) for one in rounds(told) if start <= one.started_at < until]
    return found
