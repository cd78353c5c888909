"""What comes back: replies by their provider's id, and the messages they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.deliveries import BounceKind
from shared.db.database import Connection

_ANSWERED = """
select m.delivery_id, m.contact_id, m.account_id, m.survey_id, m.programme, m.snapshot,
    coalesce(s.closes_at > $2 and not s.closed and s.cancelled_as is null, false) as open, t.content as texts
from messages m
left join surveys s on s.survey_id = m.survey_id
left join texts t on t.digest = s.texts_digest
where m.address_hash = $1 and m.channel = 'sms' and m.state in ('handed_over', 'uncertain')
order by m.finished_at desc, m.delivery_id limit 1
"""
_BOUNCED = """
update messages set bounced_at = coalesce(bounced_at, $3), bounce = $2, version = version + 1
where delivery_id = any($1::uuid[]) and state = 'handed_over' and bounce is distinct from $2
    and bounce is distinct from 'hard'
returning delivery_id
"""
_DELIVERED = """
update messages set delivered_at = $2, version = version + 1
where delivery_id = any($1::uuid[]) and state = 'handed_over' and delivered_at is null
returning delivery_id
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """The newest text message to a number; `open`: its survey still takes answers."""

    delivery_id: UUID
    contact_id: UUID
    account_id: UUID | None
    survey_id: UUID | None
    programme: str
    snapshot: str
    open: bool
    texts: str


async def newest_to(conn: Connection, address_hash: str, now: datetime) -> Answered | None:
    """What somebody who writes from a number answers to; None when nobody was written to there."""
    row = await conn.fetchrow(_ANSWERED, address_hash, now)
    if row is None:
        return None
    return Answered(
        delivery_id=row["delivery_id"],
        contact_id=row["contact_id"],
        account_id=row["account_id"],
        survey_id=row["survey_id"],
        programme=row["programme"],
        snapshot=row["snapshot"],
        open=row["open"],
        texts=row["texts"] or "",
    )


async def note(conn: Connection, reply_id: str, delivery_id: UUID | None, kind: str, now: datetime) -> bool:
    """Keep that a reply came; False when it was known."""
    row = await conn.fetchrow(
        "insert into replies (reply_id, delivery_id, kind, noted_at) values ($1, $2, $3, $4) "
        "on conflict do nothing returning true",
        reply_id,
        delivery_id,
        kind,
        now,
    )
    return row is not None


async def first(conn: Connection, call: str) -> bool:
    """Keep that a provider's call was heard; False when it was heard before."""
    row = await conn.fetchrow(
        "insert into calls_heard (call) values ($1) on conflict do nothing returning true", call
    )
    return row is not None


async def forget_calls(conn: Connection) -> None:
    """Drop calls that would be too old by now to be heard again."""
    await conn.execute(
        """
        delete from calls_heard where call in (
            select call from calls_heard where heard_at < clock.machine_now() - interval '1 day'
            order by heard_at limit 1000 for update skip locked)
        """
    )


async def mark_bounced(conn: Connection, delivery_id: UUID, kind: BounceKind, now: datetime) -> list[UUID]:
    """Keep that a message came back; empty when that, or something harder, was known."""
    return [row["delivery_id"] for row in await conn.fetch(_BOUNCED, [delivery_id], kind.value, now)]


async def mark_complained(conn: Connection, delivery_id: UUID, now: datetime) -> list[UUID]:
    """Keep that a message was reported as unwanted; empty when that was known."""
    rows = await conn.fetch(
        """
        update messages set complained_at = $2, version = version + 1
        where delivery_id = $1 and complained_at is null and finished_at is not null returning delivery_id
        """,
        delivery_id,
        now,
    )
    return [row["delivery_id"] for row in rows]


async def mark_delivered(conn: Connection, delivery_ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Keep that messages arrived; those for which that is news."""
    return [row["delivery_id"] for row in await conn.fetch(_DELIVERED, sorted(delivery_ids), now)]
