"""Invitations to take part in improvements, and what was said to them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.alerts.domain.taking_part import REST, Invitation, Said
from services.alerts.store import answers, improvements
from shared.contracts.messages import MessageKind
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Helper:
    """Somebody who answered an invitation; `task_id` is there for a yes."""

    said: Said
    account_name: str
    at: datetime
    task_id: UUID | None


async def invitation(conn: Connection, message_id: UUID) -> Invitation | None:
    """An invitation by the id of its message."""
    row = await conn.fetchrow(
        """
        select m.response_id, m.improvement_id, a.said, coalesce(p.erased, false) as erased
        from messages m left join invitation_answers a using (message_id)
        left join merged f on f.former = m.contact_id
        left join contacts p on p.contact_id = coalesce(f.id, m.contact_id)
        where m.message_id = $1 and m.kind = $2
        """,
        message_id,
        MessageKind.INVITATION.value,
    )
    one = await improvements.get(conn, row["improvement_id"]) if row else None
    if row is None or one is None:
        return None
    answer = (await answers.load(conn, {row["response_id"]}))[row["response_id"]]
    return Invitation(message_id, one, answer, Said(row["said"]) if row["said"] else None, row["erased"])


async def save(conn: Connection, one: Invitation, said: Said, task_id: UUID | None, now: datetime) -> None:
    """Write down what they said."""
    await conn.execute(
        """
        insert into invitation_answers (message_id, improvement_id, said, at, task_id)
        values ($1, $2, $3, $4, $5)
        on conflict (message_id) do update set said = excluded.said, at = excluded.at,
            task_id = excluded.task_id
        """,
        one.message_id,
        one.improvement.id,
        said.value,
        now,
        task_id,
    )


async def helpers(conn: Connection, improvement_id: UUID) -> list[Helper]:
    """Those who answered the invitation to an improvement, each yes first."""
    rows = await conn.fetch(
        """
        select i.said, coalesce(nullif(c.name, ''), a.snapshot ->> 'account_name') as account_name, i.at,
            i.task_id
        from invitation_answers i join messages m using (message_id)
        join answers a on a.response_id = m.response_id
        left join merged f on f.former = a.account_id
        left join accounts c on c.account_id = coalesce(f.id, a.account_id)
        where i.improvement_id = $1 order by i.said desc, i.at, i.message_id
        """,
        improvement_id,
    )
    return [Helper(Said(r["said"]), r["account_name"] or "", r["at"], r["task_id"]) for r in rows]


async def resting(conn: Connection, people: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of them who were invited to something lately, or whose case is open: they are left alone."""
    rows = await conn.fetch(
        """
        with asked as (
            select u.id, array[u.id] || array(select former from merged where merged.id = u.id) as ids
            from unnest($1::uuid[]) as u (id)
        )
        select id from asked where exists (
            select from messages m
            where m.kind = 'invitation' and m.requested_at > $2 and m.contact_id = any(asked.ids)
        ) or exists (
            select from voices v join tickets t on t.id = v.ticket_id
            where t.state in ('open', 'acknowledged', 'contacted') and v.contact_id = any(asked.ids)
        )
        """,
        list(people),
        now - REST,
    )
    return {row["id"] for row in rows}
