"""Facts in the order of their days, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.scoring.domain.asking import Span
from services.scoring.domain.facts import State
from shared.db.database import Connection

_FROM_SNAPSHOT = ", ".join(
    f"coalesce(snapshot ->> '{name}', '') as {name}"
    for name in (
        "touchpoint", "stage", "tier", "industry", "size", "owner", "persona", "job_function", "product",
        "service_type", "region", "locale", "channel",
    )
)  # fmt: skip
_PAGE = f"""
select response_id, survey_id, state, version, day, cohort, answered_at, family, programme,
    coalesce(snapshot ->> 'version', '') as programme_version, {_FROM_SNAPSHOT}, account_id, contact_id,
    nps, nps5, csat, ces, coalesce(answer ->> 'mood', '') as mood,
    coalesce(snapshot ->> 'context', '') as context
from answer_facts
where day between $1 and $2 and state = any($3::text[]) and ($4 = '' or programme = $4)
    and ($5::text is null or family = $5) and ($6::uuid is null or account_id = $6)
    and (day, response_id) > ($7, $8)
order by day, response_id limit $9
"""  # noqa: S608 - names of this module
_IDS = ("response_id", "survey_id", "account_id", "contact_id")
START = (date(1999, 12, 31), UUID(int=0))

Place = tuple[date, UUID]
"""Behind which fact a list goes on."""


@dataclass(frozen=True, slots=True)
class WantedFacts:
    """Which facts; what is empty leaves all in."""

    span: Span
    states: tuple[State, ...] = (State.COUNTED,)
    programme: str = ""
    family: str | None = None
    account_id: UUID | None = None


async def facts(conn: Connection, wanted: WantedFacts, after: Place, limit: int) -> list[dict[str, Any]]:
    """The next facts after one, by day and id; ids are texts."""
    rows = await conn.fetch(
        _PAGE, wanted.span.first, wanted.span.last, [state.value for state in wanted.states],
        wanted.programme, wanted.family, wanted.account_id, *after, limit,
    )  # fmt: skip
    return [_texts(dict(row)) for row in rows]


def place_of(fact: dict[str, Any]) -> Place:
    """Where a list goes on behind a fact."""
    return fact["day"], UUID(fact["response_id"])


def _texts(fact: dict[str, Any]) -> dict[str, Any]:
    return fact | {name: str(fact[name]) if fact[name] else None for name in _IDS}
