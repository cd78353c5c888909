"""Asks: surveys that were requested, with their reservation, reminders and end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.trigger.domain.model import Ask
from services.trigger.store.rows import ask_of, dump
from shared.db.database import Connection

_SAVE = """
insert into asks select * from jsonb_populate_recordset(null::asks, $1::text::jsonb) order by survey_id
on conflict (survey_id) do update set
    state = excluded.state, handed_over_at = excluded.handed_over_at, answered_at = excluded.answered_at,
    released_at = excluded.released_at, closed_at = excluded.closed_at, next_step = excluded.next_step,
    next_step_at = excluded.next_step_at, waits_for = excluded.waits_for,
    event_version = excluded.event_version, heard_at = excluded.heard_at
"""


async def save_asks(conn: Connection, asks: Iterable[Ask]) -> None:
    """Write new asks and those whose rows are locked."""
    if rows := list(asks):
        await conn.execute(_SAVE, dump(rows))


async def parties_of(conn: Connection, survey_ids: Iterable[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Whom asks are of, and at which accounts; without a lock."""
    wanted = sorted(set(survey_ids))
    query = "select contact_id, account_id from asks where survey_id = any($1)"
    rows = await conn.fetch(query, wanted) if wanted else []
    return {row["contact_id"] for row in rows}, {row["account_id"] for row in rows if row["account_id"]}


async def lock_asks(conn: Connection, survey_ids: Iterable[UUID]) -> dict[UUID, Ask]:
    """Lock asks in id order."""
    query = "select * from asks where survey_id = any($1) order by survey_id for no key update"
    return {row["survey_id"]: ask_of(row) for row in await conn.fetch(query, sorted(set(survey_ids)))}


async def asks_of_plans(conn: Connection, plan_ids: Iterable[UUID]) -> list[Ask]:
    """Lock the asks that plans became, in id order."""
    wanted = sorted(set(plan_ids))
    if not wanted:
        return []
    query = "select * from asks where plan_id = any($1) order by survey_id for no key update"
    return [ask_of(row) for row in await conn.fetch(query, wanted)]


async def recent_asks(
    conn: Connection, contacts: Sequence[UUID], accounts: Sequence[UUID], since: datetime
) -> list[Ask]:
    """Asks of people and accounts that may still count.

    Call it after their rows are locked, in a statement of its own.
    """
    rows = await conn.fetch(
        "select * from asks where asked_at > $3 and (contact_id = any($1) or account_id = any($2))",
        contacts,
        accounts,
        since,
    )
    return [ask_of(row) for row in rows]


async def due_reminders(conn: Connection, now: datetime, limit: int) -> list[Ask]:
    """Asks whose next reminder is due, not locked."""
    query = "select * from asks where next_step_at <= $1 order by next_step_at limit $2"
    return [ask_of(row) for row in await conn.fetch(query, now, limit)]


async def claim_reminders(conn: Connection, survey_ids: Iterable[UUID], now: datetime) -> list[Ask]:
    """Lock those of the asks whose reminder is still due and that nobody else holds."""
    rows = await conn.fetch(
        "select * from asks where survey_id = any($1) and next_step_at <= $2 "
        "order by survey_id for no key update skip locked",
        sorted(set(survey_ids)),
        now,
    )
    return [ask_of(row) for row in rows]


async def claim_closing(conn: Connection, now: datetime, limit: int) -> list[Ask]:
    """Lock asks whose time is over and that were not closed yet."""
    rows = await conn.fetch(
        "select * from asks where closed_at is null and closes_at <= $1 "
        "order by closes_at limit $2 for no key update skip locked",
        now,
        limit,
    )
    return [ask_of(row) for row in rows]


async def wake_reminders(
    conn: Connection,
    now: datetime,
    reason: str,
    *,
    contacts: Sequence[UUID] | None = None,
    accounts: Sequence[UUID] | None = None,
    programme: str | None = None,
) -> None:
    """Let deferred reminders pass the gate again now."""
    await conn.execute(
        """
        update asks set next_step_at = $1 where survey_id in (
            select survey_id from asks where next_step_at > $1 and waits_for = $2
              and ($3::uuid[] is null or contact_id = any($3))
              and ($4::uuid[] is null or account_id = any($4))
              and ($5::text is null or programme = $5)
            order by survey_id for no key update
        )
        """,
        now,
        reason,
        contacts,
        accounts,
        programme,
    )


async def open_asks_of(conn: Connection, contacts: Sequence[UUID]) -> list[Ask]:
    """Lock the surveys of people that are still open for answers, in id order."""
    query = """
        select * from asks where contact_id = any($1) and closed_at is null
        order by survey_id for no key update
    """
    return [ask_of(row) for row in await conn.fetch(query, contacts)]


async def stop_reminders(conn: Connection, survey_ids: Sequence[UUID]) -> None:
    """No more reminders for surveys whose rows are locked."""
    if not survey_ids:
        return
    await conn.execute(
        "update asks set next_step_at = null, waits_for = null where survey_id = any($1)", survey_ids
    )
