"""Who was asked whether a case is mended; ids and codes alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.alerts.domain.asking import Asking, Question
from shared.db.database import Connection

_COLUMNS = "question_id, ticket_id, run, contact_id, programme, state, reason, until, at"
_SAVE = f"""
insert into questions ({_COLUMNS})
select w.* from unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::text[],
    $8::timestamptz[], $9::timestamptz[]) as w ({_COLUMNS})
where exists (select from tickets t where t.id = w.ticket_id)
order by w.question_id
on conflict (question_id) do update set
    state = excluded.state, reason = excluded.reason, until = excluded.until, at = excluded.at
"""  # noqa: S608 - columns of our own


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as the page of its case shows it; `answered`: they gave an answer that counts."""

    question: Question
    answered: bool


async def load(conn: Connection, ids: Collection[UUID]) -> dict[UUID, Question]:
    """Questions as they are known; their cases are locked."""
    query = f"select {_COLUMNS} from questions where question_id = any($1)"  # noqa: S608 - columns of our own
    return {row["question_id"]: _question(row) for row in await conn.fetch(query, list(ids))}


async def save(conn: Connection, questions: Sequence[Question]) -> None:
    """Write questions; of cases that nobody knows here nothing is kept."""
    rows = [
        (
            one.question_id, one.ticket_id, one.run, one.contact_id, one.programme, one.state.value,
            one.reason, one.until, one.at,
        )
        for one in questions
    ]  # fmt: skip
    if rows:
        await conn.execute(_SAVE, *map(list, zip(*rows, strict=True)))


async def of_ticket(conn: Connection, ticket_id: UUID) -> list[Shown]:
    """The questions about a case, in the order in which they were last heard of."""
    rows = await conn.fetch(
        f"""
        select {_COLUMNS}, exists (
            select from answers a where a.survey_id = q.question_id and a.standing = 'counted') as answered
        from questions q where ticket_id = $1 order by at, question_id
        """,  # noqa: S608 - columns of our own
        ticket_id,
    )
    return [Shown(_question(row), row["answered"]) for row in rows]


def _question(row: asyncpg.Record) -> Question:
    return Question(
        question_id=row["question_id"],
        ticket_id=row["ticket_id"],
        run=row["run"],
        contact_id=row["contact_id"],
        programme=row["programme"],
        state=Asking(row["state"]),
        at=row["at"],
        reason=row["reason"],
        until=row["until"],
    )
