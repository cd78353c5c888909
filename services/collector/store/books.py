"""The sums of the collector: answers by where they stand, and what was only seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Books:
    """Responses by state, answers by verdict, observations by kind; an observation is never an answer.

    Tests of programmes are left out: they count nowhere.
    """

    surveys: Mapping[str, int]
    responses: Mapping[str, int]
    verdicts: Mapping[str, int]
    observations: Mapping[str, int]


_REAL = """survey_id not in (select survey_id from surveys where snapshot like '%"test":true%')"""


async def books(conn: Connection) -> Books:
    """Add everything up."""
    return Books(
        surveys=await _tally(conn, "state", "surveys"),
        responses=await _tally(conn, "state", "responses"),
        verdicts=await _tally(conn, "coalesce(verdict, 'pending')", "answers"),
        observations=await _tally(conn, "kind", "observations"),
    )


async def _tally(conn: Connection, by: str, table: str) -> dict[str, int]:
    statement = f"select {by}, count(*) from {table} where {_REAL} group by 1 order by 1"  # noqa: S608 - names of this module
    return {row[0]: row[1] for row in await conn.fetch(statement)}
