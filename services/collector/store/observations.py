"""What was seen of the links. Rows are only ever added (erasure blanks the hashed address)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from services.collector.domain.agents import Agent
from services.collector.domain.verdict import Observation, Sighting
from shared.db.database import Connection

# What is seen after an answer was announced may change its verdict, so it is judged again.
_OBSERVE = """
with survey as (
    select state from surveys where survey_id = $1 for share
), seen as (
    insert into observations (survey_id, at, kind, address, agent, score, page)
    values ($1, $2, $3, case (select state from survey) when 'erased' then '' else $4 end, $5, $6, $9)
)
insert into settling (survey_id, ready_at, at_latest)
select $1, $7, $7 where $8 and exists (select from responses where survey_id = $1 and state <> 'pending')
on conflict do nothing
"""

_RECENT = """
select o.at, o.kind, o.address, o.agent, o.score, o.page, s.survey_id from unnest($1::uuid[]) as s (survey_id)
cross join lateral (
    select * from observations where survey_id = s.survey_id order by at limit 2000
) o
"""

_VIEW = """
select id, at, kind, agent, score from observations
where survey_id = $1 and id > $2 order by id limit $3
"""

_WISHES = """
select o.id, o.survey_id, o.at, s.snapshot from observations o join surveys s using (survey_id)
where o.kind = 'contact_wanted' and s.state <> 'erased' and o.id > $1 order by o.id limit $2
"""


async def observe(conn: Connection, survey_id: UUID, seen: Observation, settling: timedelta) -> None:
    """Append one observation; `settling` is how long its burst may still go on."""
    telling = seen.kind in {Sighting.HEAD, Sighting.TRAP, Sighting.UNSIGNED} or seen.score is not None
    await conn.execute(
        _OBSERVE,
        survey_id,
        seen.at,
        seen.kind.value,
        seen.address,
        seen.agent.value,
        seen.score,
        seen.at + settling,
        telling,
        seen.page,
    )


async def load_observations(conn: Connection, survey_ids: list[UUID]) -> dict[UUID, list[Observation]]:
    """The first 2,000 observations of each survey, in time order."""
    found: dict[UUID, list[Observation]] = {survey_id: [] for survey_id in survey_ids}
    for row in await conn.fetch(_RECENT, survey_ids):
        found[row["survey_id"]].append(
            Observation(
                row["at"],
                Sighting(row["kind"]),
                row["address"],
                Agent(row["agent"]),
                row["score"],
                row["page"],
            )
        )
    return found


async def page_of(conn: Connection, survey_id: UUID, after: int, limit: int) -> list[dict[str, object]]:
    """Observations of a survey for people who ask why an answer was held; no addresses."""
    return [dict(row) for row in await conn.fetch(_VIEW, survey_id, after, limit)]


async def wishes(conn: Connection, after: int, limit: int) -> list[dict[str, object]]:
    """Who came too late and asked to be contacted."""
    return [dict(row) for row in await conn.fetch(_WISHES, after, limit)]
