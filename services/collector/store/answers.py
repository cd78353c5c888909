"""Answers and their versions. Writing is the hot path: three statements for a whole group of answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from services.collector.domain.agents import Agent
from services.collector.domain.amend import Latest, SurveyState
from shared.contracts.forms import QuestionType
from shared.contracts.responses import Mood, Score
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Ground:
    """What an answer to a survey falls on: the survey's state, its form, and the newest version there is."""

    contact_id: UUID
    questionnaire: str
    state: SurveyState
    closes_at: datetime
    first_seen_at: datetime | None
    latest: Latest | None


class AnswerRow(msgspec.Struct, frozen=True):
    """One version to be stored, field by column; `words` is sealed, `scores` and `choices` are JSON."""

    survey_id: UUID
    version: int
    received_at: datetime
    idempotency_key: str | None
    content: str
    complete: bool
    draft: bool
    mood: Mood
    scores: str
    choices: str
    words: str
    address: str
    agent: Agent
    rendered_at: datetime | None
    honeypot: bool
    wrote: bool
    ready_at: datetime
    at_latest: datetime


_encode = msgspec.json.Encoder().encode

_GROUND = """
select s.survey_id, s.contact_id, s.questionnaire, s.state, s.closes_at, o.at as first_seen_at,
    a.version, a.content, a.rendered_at, a.complete,
    a.verdict = 'human' or a.released_by is not null as human
from surveys s
left join lateral (
    select at from observations where survey_id = s.survey_id order by at limit 1
) o on true
left join lateral (
    select version, content, rendered_at, complete, verdict, released_by from answers
    where survey_id = s.survey_id order by version desc limit 1
) a on true
where s.survey_id = any($1::uuid[])
"""

# One JSON document instead of an array per column: encoding those cost more than all else together. Surveys
# are locked against erasure, which would otherwise pass by an answer that is just being written.
_WRITE = """
with given as (
    select * from json_to_recordset($1::json) as t (survey_id uuid, version int, received_at timestamptz,
        idempotency_key text, content text, complete bool, draft bool, mood text, scores text, choices text,
        words text, address text, agent text, rendered_at timestamptz, honeypot bool, wrote bool,
        ready_at timestamptz, at_latest timestamptz)
), open as (
    select survey_id from surveys where survey_id in (select survey_id from given) and state = 'open'
    order by survey_id for share
), written as (
    insert into answers (survey_id, version, received_at, idempotency_key, content, complete, draft, mood,
        scores, choices, words, address, agent, rendered_at, honeypot, wrote)
    select survey_id, version, received_at, idempotency_key, content, complete, draft, mood, scores,
        choices, words, address, agent, rendered_at, honeypot, wrote
    from given join open using (survey_id)
    on conflict do nothing
    returning survey_id
), queued as (
    insert into settling (survey_id, ready_at, at_latest)
    select survey_id, ready_at, at_latest from given join written using (survey_id)
    order by survey_id
    on conflict (survey_id) do update set
        ready_at = least(settling.ready_at, excluded.ready_at),
        at_latest = least(settling.at_latest, excluded.at_latest)
)
select survey_id from written
"""

_BY_KEY = """
select survey_id, idempotency_key, version, mood, complete from answers
where (survey_id, idempotency_key) in (select * from unnest($1::uuid[], $2::text[]))
"""

_STARTED = """
insert into responses as r (survey_id, version, state, announced)
select survey_id, 1, 'pending', 0 from unnest($1::uuid[]) as t (survey_id) order by survey_id
on conflict (survey_id) do nothing
returning survey_id
"""


async def load_grounds(conn: Connection, survey_ids: Sequence[UUID]) -> dict[UUID, Ground]:
    """The state of surveys that are known here, with their newest answers."""
    return {row["survey_id"]: _ground(row) for row in await conn.fetch(_GROUND, survey_ids)}


def _ground(row: Mapping[str, object]) -> Ground:
    latest = None
    if row["version"] is not None:
        latest = Latest(row["version"], row["content"], row["rendered_at"], row["human"], row["complete"])  # type: ignore[arg-type] # typed by the schema
    return Ground(
        row["contact_id"],  # type: ignore[arg-type] # typed by the schema
        row["questionnaire"],  # type: ignore[arg-type] # typed by the schema
        SurveyState(str(row["state"])),
        row["closes_at"],  # type: ignore[arg-type] # typed by the schema
        row["first_seen_at"],  # type: ignore[arg-type] # typed by the schema
        latest,
    )


async def write(conn: Connection, rows: Sequence[AnswerRow]) -> set[UUID]:
    """Store versions and queue them for settling; the surveys whose version was really written.

    One that is missing lost a race: somebody else wrote that version or used its idempotency key, or the
    survey was closed. One statement, so a transaction of its own where the caller has none open.
    """
    written = await conn.fetch(_WRITE, _encode(rows).decode())
    return {row[0] for row in written}


async def load_by_key(
    conn: Connection, keys: Sequence[tuple[UUID, str]]
) -> dict[tuple[UUID, str], tuple[int, Mood, bool]]:
    """Version, mood and completeness of answers that were already written under an idempotency key."""
    rows = await conn.fetch(_BY_KEY, [survey_id for survey_id, _ in keys], [key for _, key in keys])
    return {
        (row["survey_id"], row["idempotency_key"]): (row["version"], Mood(row["mood"]), row["complete"])
        for row in rows
    }


async def start(conn: Connection, survey_ids: Sequence[UUID]) -> set[UUID]:
    """Open responses for first, incomplete answers; those that were not open before."""
    return {row[0] for row in await conn.fetch(_STARTED, survey_ids)}


def dump_scores(scores: Iterable[Score]) -> str:
    """Scores as JSON, one list each: question, type, value, item."""
    return _encode([(one.question, one.type, one.value, one.item) for one in scores]).decode()


def load_scores(text: str) -> tuple[Score, ...]:
    """The reverse of `dump_scores`."""
    return tuple(
        Score(question=question, type=QuestionType(kind), value=value, item=item)
        for question, kind, value, item in json.loads(text)
    )


def dump_choices(choices: Mapping[str, tuple[str, ...]]) -> str:
    """Choices as JSON."""
    return _encode(choices).decode() if choices else "{}"


def load_choices(text: str) -> dict[str, tuple[str, ...]]:
    """The reverse of `dump_choices`."""
    return {question: tuple(chosen) for question, chosen in json.loads(text).items()}


async def load_snapshots(conn: Connection, survey_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Snapshots as JSON."""
    rows = await conn.fetch(
        "select survey_id, snapshot from surveys where survey_id = any($1::uuid[])", survey_ids
    )
    return {row["survey_id"]: row["snapshot"] for row in rows}
