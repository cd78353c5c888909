"""What pages and API show of tasks. Personal data stays sealed here; whoever shows it opens it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.alerts.domain.tasks import Task
from services.alerts.store import tasks
from shared.contracts.forms import QuestionType
from shared.db.database import Connection
from shared.db.merged import family


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in a list.

    Attributes:
        known_as: whose key sealed `person`.
        case: the open case of the same customer, who is no happy one just now.
        words: what they wrote in the answer, sealed.
    """

    task: Task
    score: int | None
    scale: QuestionType
    known_as: UUID
    person: str
    account_name: str
    tier: str
    case: UUID | None
    words: str


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a task's timeline, its note still sealed."""

    at: datetime
    by: UUID | None
    did: str
    data: Mapping[str, str]
    note: str
    contact_id: UUID


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An answer that led to no task, and why."""

    response_id: UUID
    kind: str
    at: datetime
    reason: str
    programme: str
    account_name: str
    known_as: UUID
    person: str


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted of the list of tasks.

    Attributes:
        unowned_too: with `owner`, those without any owner as well.
        ended: those that have ended, the last one first; else the open ones, what is due first first.
        before: only what is due until then.
        state: "" for all that are open, or have ended.
        contact: only tasks for this person, under whichever id.
        after: the last line of the page before.
    """

    owner: UUID | None = None
    unowned_too: bool = False
    ended: bool = False
    before: datetime | None = None
    state: str = ""
    kind: str = ""
    contact: UUID | None = None
    task_id: UUID | None = None
    limit: int = 50
    after: tuple[datetime, UUID] | None = None


_PEOPLE = """
    join answers a on a.response_id = t.response_id
    left join merged m on m.former = t.contact_id
    left join contacts p on p.contact_id = coalesce(m.id, t.contact_id)
    left join merged ma on ma.former = a.account_id
    left join accounts c on c.account_id = coalesce(ma.id, a.account_id)
"""
_WHO = """
    case when coalesce(p.person, '') = '' then t.contact_id else p.contact_id end as known_as,
    coalesce(nullif(p.person, ''), a.person) as contact_person,
    coalesce(nullif(c.name, ''), a.snapshot ->> 'account_name') as account_name
"""


async def lines(conn: Connection, query: Query) -> list[TaskLine]:
    """Tasks, as they are asked for."""
    order = "t.ended_at desc, t.id desc" if query.ended else "t.due_at, t.id"
    beyond = "(t.ended_at, t.id) < ($4, $5)" if query.ended else "(t.due_at, t.id) > ($4, $5)"
    standing = "t.ended_at is not null" if query.ended else "t.state = 'open'"
    rows = await conn.fetch(
        f"""
        select t.*, a.score, a.scale, a.words, {_WHO},
            coalesce(nullif(c.tier, ''), a.snapshot ->> 'tier', '') as account_tier,
            (select k.id from tickets k where k.case_key = a.case_key
                and k.state in ('open', 'acknowledged', 'contacted')) as case_id
        from (
            select * from tasks t
            where ($10::uuid is not null or {standing})
                and ($1::uuid is null or t.owner = $1 or ($2 and t.owner is null))
                and ($6 = '' or t.state = $6)
                and ($7::timestamptz is null or t.due_at <= $7)
                and ($8::uuid[] is null or t.contact_id = any($8))
                and ($9 = '' or t.kind = $9)
                and ($10::uuid is null or t.id = $10)
                and ($4::timestamptz is null or {beyond})
            order by {order} limit $3
        ) t {_PEOPLE}
        order by {order}
        """,  # noqa: S608 - fragments of our own
        query.owner,
        query.unowned_too,
        query.limit,
        *(query.after or (None, None)),
        query.state,
        query.before,
        list(await family(conn, query.contact)) if query.contact else None,
        query.kind,
        query.task_id,
    )
    return [
        TaskLine(
            tasks.read(row),
            row["score"],
            QuestionType(row["scale"]),
            row["known_as"],
            row["contact_person"],
            row["account_name"] or "",
            row["account_tier"],
            row["case_id"],
            row["words"],
        )
        for row in rows
    ]


async def said(conn: Connection, task_id: UUID) -> list[Said]:
    """Everything that happened to a task, the newest first."""
    rows = await conn.fetch(
        "select at, by_user, did, data, note, note_contact from task_lines "
        "where task_id = $1 order by id desc",
        task_id,
    )
    return [Said(r["at"], r["by_user"], r["did"], json.loads(r["data"]), *tuple(r)[4:]) for r in rows]


async def left_out(
    conn: Connection, limit: int, contact: UUID | None = None, response_id: UUID | None = None
) -> list[LeftOut]:
    """Answers that led to no task of a kind, and why, the newest first."""
    rows = await conn.fetch(
        f"""
        select t.response_id, t.kind, t.at, t.reason, a.programme, {_WHO}
        from (
            select * from task_decisions t
            where t.reason <> '' and ($2::uuid[] is null or t.contact_id = any($2))
                and ($3::uuid is null or t.response_id = $3)
            order by t.at desc, t.response_id limit $1
        ) t {_PEOPLE}
        order by t.at desc, t.response_id
        """,  # noqa: S608 - fragments of our own
        limit,
        list(await family(conn, contact)) if contact else None,
        response_id,
    )
    return [
        LeftOut(
            r["response_id"],
            r["kind"],
            r["at"],
            r["reason"],
            r["programme"],
            r["account_name"] or "",
            r["known_as"],
            r["contact_person"],
        )
        for r in rows
    ]


async def counts(conn: Connection, user_id: UUID, now: datetime, soon: datetime) -> Mapping[str, int]:
    """Numbers on the tabs."""
    row = await conn.fetchrow(
        """
        select count(*) filter (where owner = $1 or owner is null) as mine, count(*) as team,
            count(*) filter (where due_at <= $3) as due, count(*) filter (where due_at <= $2) as late,
            count(*) filter (where due_at <= $2 and (owner = $1 or owner is null)) as mine_late
        from tasks where state = 'open'
        """,
        user_id,
        now,
        soon,
    )
    return dict(row) if row else {}
