"""The decision ledger, and the books over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import asdict

from services.trigger.domain.books import Books
from services.trigger.domain.model import Decision
from services.trigger.store.rows import decision_of, dump
from shared.db.database import Connection

_COLUMNS = (
    "event_id, programme, version, plan_id, contact_id, account_id, step, outcome, reason, until, inputs, "
    "shadow"
)
_WRITE = f"""
insert into decisions (at, {_COLUMNS})
select $2, {_COLUMNS} from jsonb_to_recordset($1::text::jsonb) as x (
    event_id text, programme text, version text, plan_id uuid, contact_id uuid, account_id uuid,
    step int, outcome text, reason text, until timestamptz, inputs jsonb, shadow boolean
)
"""  # noqa: S608 - a constant
_READ = """
select id, at, event_id, programme, version, plan_id, contact_id, account_id, step, outcome, reason, until,
    inputs::text as inputs, shadow
from decisions where ($1::uuid[] is null or contact_id = any($1))
  and ($2::uuid[] is null or account_id = any($2))
  and ($3::text[] is null or event_id = any($3)) and ($4::bigint is null or id < $4)
  and ($6::text is null or programme = $6)
order by id desc limit $5
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision in its place in the ledger."""

    id: int
    at: datetime
    event_id: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for in the ledger; all that is given must fit.

    `contact_ids`, `account_ids`: the present id of a person or company, and those that were merged into it.
    """

    contact_ids: tuple[UUID, ...] = ()
    account_ids: tuple[UUID, ...] = ()
    event_ids: tuple[str, ...] = ()
    programme: str | None = None
    before: int | None = None
    limit: int = 100


async def write(conn: Connection, at: datetime, decisions: Sequence[tuple[str, Decision]]) -> None:
    """Add decisions, each with the id of the event that caused it ("" = time did)."""
    if decisions:
        rows = [{**asdict(decision), "event_id": event_id} for event_id, decision in decisions]
        await conn.execute(_WRITE, dump(rows), at)


async def read(conn: Connection, question: Question) -> list[Entry]:
    """Decisions that fit, newest first."""
    rows = await conn.fetch(
        _READ,
        question.contact_ids or None,
        question.account_ids or None,
        question.event_ids or None,
        question.before,
        question.limit,
        question.programme,
    )
    return [Entry(row["id"], row["at"], row["event_id"], decision_of(row)) for row in rows]


async def books(conn: Connection) -> Books:
    """Plans by what became of them, counted now."""
    plans = await conn.fetch(
        "select state, coalesce(reason, '') as reason, count(*) as n from plans "
        "where state <> 'expanded' group by 1, 2"
    )
    by_state: dict[str, int] = {}
    for row in plans:
        by_state[row["state"]] = by_state.get(row["state"], 0) + row["n"]
    asks = await conn.fetchrow("select count(*) as asked, count(answered_at) as answered from asks")
    return Books(
        pending=by_state.get("pending", 0),
        requested=by_state.get("requested", 0),
        suppressed={row["reason"]: row["n"] for row in plans if row["state"] == "suppressed"},
        cancelled=by_state.get("cancelled", 0),
        planned=sum(by_state.values()),
        asked=asks["asked"] if asks else 0,
        answered=asks["answered"] if asks else 0,
        reminded=await conn.fetchval(
            "select count(*) from decisions where step > 0 and outcome = 'requested'"
        ),
    )
