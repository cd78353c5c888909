"""Tasks, what each answer led to, and their timelines."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.domain.model import Owner
from services.alerts.domain.tasks import Line, Task, TaskState, Why
from shared.contracts.responses import Mood
from shared.db.database import Connection

_INSERT = """
insert into tasks (id, kind, subject, response_id, contact_id, account_id, mood, programme, answered_at,
    opened_at, due_at, owner, owner_reason, state, version, touched, consented_at, ended_at, quotable)
select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
    $8::text[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::text[],
    $14::text[], $15::int[], $16::bool[], $17::timestamptz[], $18::timestamptz[], $19::bool[])
on conflict do nothing returning id
"""
_UPDATE = """
update tasks as t set owner = n.owner, owner_reason = n.owner_reason, state = n.state, version = n.version,
    touched = n.touched, consented_at = n.consented_at, ended_at = n.ended_at, quotable = n.quotable
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::bool[], $7::timestamptz[],
    $8::timestamptz[], $9::bool[])
    as n (id, owner, owner_reason, state, version, touched, consented_at, ended_at, quotable)
where t.id = n.id
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an answer led to: its own task, or why there is none."""

    response_id: UUID
    kind: str
    contact_id: UUID
    at: datetime
    task_id: UUID | None = None
    reason: Why | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A line of a task's timeline with its note sealed for the person it is about."""

    task_id: UUID
    line: Line
    note: str
    contact_id: UUID


async def of_responses(conn: Connection, response_ids: Collection[UUID]) -> list[Task]:
    """The tasks that these answers led to."""
    rows = await conn.fetch(
        "select * from tasks where response_id = any($1) order by id for update", list(response_ids)
    )
    return [read(row) for row in rows]


async def last(conn: Connection, kinds: Collection[str], subjects: Collection[UUID]) -> list[Task]:
    """Of each kind and subject the open task, else that of the latest answer; never one that was dropped."""
    rows = await conn.fetch(
        """
        select distinct on (kind, subject) * from tasks
        where kind = any($1) and subject = any($2) and state <> 'dropped'
        order by kind, subject, (state = 'open') desc, answered_at desc
        """,
        list(kinds),
        list(subjects),
    )
    return [read(row) for row in rows]


async def lock(conn: Connection, task_id: UUID) -> Task | None:
    """One task, kept from others until the transaction ends."""
    row = await conn.fetchrow("select * from tasks where id = $1 for update", task_id)
    return read(row) if row else None


async def task(conn: Connection, task_id: UUID) -> Task | None:
    """One task."""
    row = await conn.fetchrow("select * from tasks where id = $1", task_id)
    return read(row) if row else None


async def lock_orphans(conn: Connection, workers: Collection[UUID], limit: int) -> list[Task]:
    """Open tasks of people who have left, kept from others until the transaction ends."""
    rows = await conn.fetch(
        """
        select * from tasks where state = 'open' and owner is not null and owner <> all($1)
        order by id limit $2 for update skip locked
        """,
        list(workers),
        limit,
    )
    return [read(row) for row in rows]


async def add(conn: Connection, tasks: Sequence[Task]) -> set[UUID]:
    """Write new tasks; the ids of those that are none's second."""
    if not tasks:
        return set()
    rows = [
        (
            t.id, t.kind, t.subject, t.response_id, t.contact_id, t.account_id, t.mood.value, t.programme,
            t.answered_at, t.opened_at, t.due_at, t.owner.user_id, t.owner.reason, t.state.value, t.version,
            t.touched, t.consented_at, t.ended_at, t.quotable,
        )
        for t in tasks
    ]  # fmt: skip
    return {row["id"] for row in await conn.fetch(_INSERT, *map(list, zip(*rows, strict=True)))}


async def update(conn: Connection, tasks: Sequence[Task]) -> None:
    """Write tasks as they are now."""
    if not tasks:
        return
    rows = [
        (
            t.id,
            t.owner.user_id,
            t.owner.reason,
            t.state.value,
            t.version,
            t.touched,
            t.consented_at,
            t.ended_at,
            t.quotable,
        )
        for t in tasks
    ]
    await conn.execute(_UPDATE, *map(list, zip(*rows, strict=True)))


async def decide(conn: Connection, decisions: Sequence[Decision]) -> None:
    """Write down what answers led to; of an answer heard again what its newest version did."""
    rows = [
        (d.response_id, d.kind, d.contact_id, d.at, d.task_id, d.reason.value if d.reason else "")
        for d in decisions
    ]
    if not rows:
        return
    await conn.execute(
        """
        insert into task_decisions (response_id, kind, contact_id, at, task_id, reason)
        select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::uuid[], $6::text[])
        on conflict (response_id, kind) do update set
            at = excluded.at, task_id = excluded.task_id, reason = excluded.reason
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def append(conn: Connection, written: Sequence[Written]) -> None:
    """Add lines to timelines."""
    rows = [
        (
            w.task_id,
            w.line.at,
            w.line.by,
            w.line.did.value,
            json.dumps(dict(w.line.data)),
            w.note,
            w.contact_id,
        )
        for w in written
    ]
    if not rows:
        return
    await conn.execute(
        """
        insert into task_lines (task_id, at, by_user, did, data, note, note_contact)
        select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::text[], $5::jsonb[], $6::text[],
            $7::uuid[])
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def erased(conn: Connection, contact_ids: Collection[UUID]) -> set[UUID]:
    """Those of them who were erased; nobody is until the transaction ends."""
    rows = await conn.fetch(
        "select contact_id, erased from contacts where contact_id = any($1) order by 1 for share",
        list(contact_ids),
    )
    return {row["contact_id"] for row in rows if row["erased"]}


async def forget(conn: Connection, contact_ids: Collection[UUID], now: datetime) -> None:
    """Of people who were erased nothing is to be done, and whom they recommended us to is gone with them."""
    await conn.execute(
        """
        with mine as (
            select unnest($1::uuid[]) as id union select former from merged where id = any($1)
        ), ended as (
            update tasks set state = 'dropped', ended_at = $2, version = version + 1
            where state = 'open' and contact_id in (select id from mine) returning id, contact_id
        )
        insert into task_lines (task_id, at, did, data, note, note_contact)
        select id, $2, 'dropped', '{"why": "erased"}', '', contact_id from ended
        """,
        list(contact_ids),
        now,
    )
    await conn.execute(
        """
        update tasks set quotable = false, version = version + 1
        where quotable and (contact_id = any($1)
            or contact_id in (select former from merged where id = any($1)))
        """,
        list(contact_ids),
    )
    await conn.execute(
        """
        delete from referrals where contact_id = any($1)
            or contact_id in (select former from merged where id = any($1))
        """,
        list(contact_ids),
    )


def read(row: asyncpg.Record) -> Task:
    """A row of `tasks` as the domain knows it."""
    return Task(
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        response_id=row["response_id"],
        contact_id=row["contact_id"],
        account_id=row["account_id"],
        mood=Mood(row["mood"]),
        programme=row["programme"],
        answered_at=row["answered_at"],
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        owner=Owner(row["owner"], row["owner_reason"]),
        state=TaskState(row["state"]),
        version=row["version"],
        touched=row["touched"],
        consented_at=row["consented_at"],
        ended_at=row["ended_at"],
        quotable=row["quotable"],
    )
