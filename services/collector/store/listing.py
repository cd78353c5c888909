"""Announced answers, in the order in which they last changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.collector.domain.listing import Filters
from services.collector.store.answers import load_choices, load_scores
from shared.contracts.model import Snapshot
from shared.contracts.responses import Mood, Score
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Word:
    """Somebody vouched for an answer, or took that back; `why` is a code, empty where nothing was taken."""

    by: str
    at: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class ListedAnswer:
    """The version of an answer that was announced last; `words` is sealed.

    Attributes:
        event: Number of the response's last event; it rises with every change.
        versions: How many versions there are.
        incentive: Something was promised to whoever answers.
        word: The last that somebody said about its verdict.
    """

    survey_id: UUID
    contact_id: UUID
    questionnaire: str
    snapshot: Snapshot
    erased: bool
    incentive: bool
    event: int
    state: str
    changed_at: datetime
    version: int
    versions: int
    first_at: datetime
    received_at: datetime
    complete: bool
    mood: Mood
    scores: tuple[Score, ...]
    choices: dict[str, tuple[str, ...]]
    words: str
    verdict: str
    evidence: tuple[str, ...]
    word: Word | None = None


_WANTED = """
    r.state = any($1::text[]) and not s.test
    and ($2 = '' or s.programme = $2)
    and ($3 = '' or s.account_id = $3)
    and ($4::uuid is null or s.contact_id = $4)
    and ($5::text is null or a.mood = $5)
    and ($6::timestamptz is null or a.received_at >= $6)
    and ($7::timestamptz is null or a.received_at < $7)
    and r.changed_at <= $8
    and ($9::uuid is null or r.survey_id = $9)
    and ($10::boolean is null or (r.reviewed_by is not null) = $10 and a.released_by is null)
"""

_FROM = """
from responses r
join surveys s using (survey_id)
join answers a on a.survey_id = r.survey_id and a.version = r.announced
"""

_ANSWER = """s.incentive <> '' as incentive,
    r.version as event, r.state, r.changed_at, a.version, h.versions, h.first_at, a.received_at, a.complete,
    a.mood, a.scores, a.choices, a.words, a.verdict, a.evidence,
    coalesce(a.released_by, a.taken_back_by) as word_by, coalesce(a.released_at, a.taken_back_at) as word_at,
    coalesce(a.taken_back_why, '') as word_why"""

_PAGE = f"""
select r.survey_id, s.contact_id, s.questionnaire, s.snapshot, s.state = 'erased' as erased,
    {_ANSWER}
{_FROM}
cross join lateral (
    select count(*) as versions, min(received_at) as first_at from answers where survey_id = r.survey_id
) h
where {_WANTED} and (r.changed_at, r.survey_id) > ($11, $12)
order by r.changed_at, r.survey_id limit $13
"""  # noqa: S608 - constants of this module

_VERSIONS = f"""
select r.survey_id, s.contact_id, s.questionnaire, s.snapshot, s.state = 'erased' as erased,
    {_ANSWER}
from unnest($1::uuid[], $2::int[]) as t (survey_id, version)
join responses r on r.survey_id = t.survey_id
join surveys s on s.survey_id = t.survey_id
join answers a on a.survey_id = t.survey_id and a.version = t.version
cross join lateral (
    select count(*) as versions, min(received_at) as first_at from answers where survey_id = t.survey_id
) h
"""  # noqa: S608 - constants of this module

_FORMS = f"select distinct s.questionnaire {_FROM} where {_WANTED}"

_HISTORY = """
select version, received_at, complete, draft, mood, scores, choices, words, verdict, evidence,
    released_by is not null as released
from answers where survey_id = $1 order by version
"""


def _arguments(wanted: Filters, horizon: datetime) -> tuple[object, ...]:
    return (
        list(wanted.standing.states), wanted.programme, wanted.account_id, wanted.contact_id,
        wanted.mood.value if wanted.mood else None, wanted.since, wanted.until, horizon,
        wanted.survey_id,
        wanted.reviewed,
    )  # fmt: skip


async def load_listed(
    conn: Connection, wanted: Filters, horizon: datetime, after: tuple[datetime, UUID], limit: int
) -> list[ListedAnswer]:
    """The next answers after one that was seen.

    Args:
        conn: To read by.
        wanted: Which.
        horizon: Changes after it are left for later.
        after: Time of change and id of the last one seen.
        limit: How many at most.
    """
    return [_listed(row) for row in await conn.fetch(_PAGE, *_arguments(wanted, horizon), *after, limit)]


async def load_versions(
    conn: Connection, wanted: Sequence[tuple[UUID, int]]
) -> dict[tuple[UUID, int], ListedAnswer]:
    """Certain versions of answers, as they were or will be announced."""
    rows = await conn.fetch(_VERSIONS, [one[0] for one in wanted], [one[1] for one in wanted])
    return {(row["survey_id"], row["version"]): _listed(row) for row in rows}


def _listed(row: Mapping[str, Any]) -> ListedAnswer:
    return ListedAnswer(
        survey_id=row["survey_id"],
        contact_id=row["contact_id"],
        questionnaire=row["questionnaire"],
        snapshot=Snapshot.model_validate_json(row["snapshot"]),
        erased=row["erased"],
        incentive=row["incentive"],
        event=row["event"],
        state=row["state"],
        changed_at=row["changed_at"],
        version=row["version"],
        versions=row["versions"],
        first_at=row["first_at"],
        received_at=row["received_at"],
        complete=row["complete"],
        mood=Mood(row["mood"]),
        scores=load_scores(row["scores"]),
        choices=load_choices(row["choices"]),
        words=row["words"],
        verdict=row["verdict"] or "",
        evidence=tuple(row["evidence"]),
        word=Word(row["word_by"], row["word_at"], row["word_why"]) if row["word_at"] else None,
    )


async def load_questionnaires(conn: Connection, wanted: Filters, horizon: datetime) -> list[str]:
    """Digests of the forms that the wanted answers fill."""
    return sorted(row[0] for row in await conn.fetch(_FORMS, *_arguments(wanted, horizon)))


async def load_history(conn: Connection, survey_id: UUID) -> Sequence[dict[str, object]]:
    """All versions of one answer, oldest first; `words` is sealed."""
    return [dict(row) for row in await conn.fetch(_HISTORY, survey_id)]
