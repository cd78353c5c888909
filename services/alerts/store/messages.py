"""Messages to customers that alerts asked dispatch for, and what became of each; ids alone, no words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.alerts.domain.thanking import FOLLOWS, Fate, Reply
from shared.db.database import Connection

# Whoever has a first reply for an answer is not thanked for it as well.
_ADD = """
insert into messages (message_id, kind, contact_id, response_id, ticket_id, requested_at, state, reason, at,
    improvement_id)
select w.id, w.kind, w.contact_id, w.response_id, w.ticket_id, $7, w.state, w.reason, $7, w.improvement_id
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $8::text[], $9::uuid[])
    as w (id, kind, contact_id, response_id, ticket_id, state, reason, improvement_id)
where w.kind <> 'thanks' or not exists (select from messages m where m.response_id = w.response_id)
order by w.id
on conflict do nothing
returning message_id
"""
_MOVE = """
update messages as m set state = $2, reason = f.reason, at = f.at
from unnest($1::uuid[], $3::text[], $4::timestamptz[]) as f (message_id, reason, at)
where m.message_id = f.message_id and m.state = any($5::text[])
returning m.message_id
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What dispatch says of a message."""

    message_id: UUID
    fate: Fate
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as the page of a case shows it."""

    message_id: UUID
    kind: str
    contact_id: UUID
    state: Fate
    reason: str
    at: datetime


async def add(conn: Connection, wanted: Mapping[UUID, Reply], now: datetime) -> set[UUID]:
    """Write down what is asked for; the ids of those that are new."""
    replies = wanted.values()
    rows = await conn.fetch(
        _ADD,
        list(wanted),
        [one.kind.value for one in replies],
        [one.answer.contact_id for one in replies],
        [one.answer.response_id for one in replies],
        [one.ticket_id for one in replies],
        [(Fate.WITHHELD if one.reason else Fate.REQUESTED).value for one in replies],
        now,
        [one.reason for one in replies],
        [one.improvement_id for one in replies],
    )
    return {row["message_id"] for row in rows}


async def move(conn: Connection, told: Sequence[Told]) -> int:
    """Write down what became of messages, as far as it may follow what is known; how many have moved."""
    moved = 0
    for fate, before in FOLLOWS.items():
        mine = [one for one in told if one.fate is fate]
        if mine:
            rows = await conn.fetch(
                _MOVE,
                [one.message_id for one in mine],
                fate.value,
                [one.reason for one in mine],
                [one.at for one in mine],
                [state.value for state in before],
            )
            moved += len(rows)
    return moved


async def of_ticket(conn: Connection, ticket_id: UUID) -> list[Sent]:
    """What was sent by itself to those in a case."""
    rows = await conn.fetch(
        """
        select message_id, kind, contact_id, state, reason, at from messages
        where ticket_id = $1 or response_id in (select response_id from voices where ticket_id = $1)
        order by requested_at, message_id
        """,
        ticket_id,
    )
    return [
        Sent(row["message_id"], row["kind"], row["contact_id"], Fate(row["state"]), row["reason"], row["at"])
        for row in rows
    ]


async def tally(conn: Connection) -> Mapping[str, int]:
    """How many stand where."""
    rows = await conn.fetch("select state, count(*)::int as n from messages group by 1 order by 1")
    return {row["state"]: row["n"] for row in rows}
