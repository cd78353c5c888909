"""The sums of the collector: answers by where they stand, and what was only seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Books:
    """Responses by state, answers by verdict, observations by kind; an observation is never an answer."""

    surveys: Mapping[str, int]
    responses: Mapping[str, int]
    verdicts: Mapping[str, int]
    observations: Mapping[str, int]


async def books(conn: Connection) -> Books:
    """Add everything up."""
    return Books(
        surveys=await _tally(conn, "select state, count(*) from surveys group by 1 order by 1"),
        responses=await _tally(conn, "select state, count(*) from responses group by 1 order by 1"),
        verdicts=await _tally(
            conn, "select coalesce(verdict, 'pending'), count(*) from answers group by 1 order by 1"
        ),
        observations=await _tally(conn, "select kind, count(*) from observations group by 1 order by 1"),
    )


async def _tally(conn: Connection, statement: str) -> dict[str, int]:
    return {row[0]: row[1] for row in await conn.fetch(statement)}
