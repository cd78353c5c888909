"""Mails that tell of findings: what each says is kept with it until it was handed over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from services.alerts.domain.findings import Finding
from shared.db.database import Connection

State = Literal["pending", "sent", "failed"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A mail to somebody."""

    id: UUID
    recipient: UUID
    findings: tuple[Finding, ...]
    attempts: int


async def plan(
    conn: Connection, mails: Mapping[UUID, tuple[UUID, Sequence[Finding]]], now: datetime, wall: datetime
) -> None:
    """Note mails by their ids: to whom, and what they say. One that is known stays as it is."""
    if not mails:
        return
    await conn.execute(
        """
        insert into finding_mails (id, recipient, findings, planned_at, next_at)
        select id, recipient, findings::jsonb, $4, $5
        from unnest($1::uuid[], $2::uuid[], $3::text[]) as t (id, recipient, findings)
        on conflict do nothing
        """,
        list(mails),
        [recipient for recipient, _ in mails.values()],
        [json.dumps([asdict(one) for one in found]) for _, found in mails.values()],
        now,
        wall,
    )


def planned(row: asyncpg.Record) -> Planned:
    """A mail that was taken to be sent."""
    return Planned(row["id"], row["recipient"], _findings(row["findings"]), row["attempts"])


@dataclass(frozen=True, slots=True)
class Told:
    """A mail and what became of it; `detail` is why the last attempt failed."""

    mail: Planned
    planned_at: datetime
    state: State
    detail: str


async def listed(conn: Connection, since: datetime, *, state: str = "", limit: int = 100) -> list[Told]:
    """Mails that were planned since then, the last ones first; in one state."""
    rows = await conn.fetch(
        """
        select id, recipient, findings, attempts, planned_at, state, detail from finding_mails
        where planned_at >= $1 and ($2 = '' or state = $2) order by planned_at desc, id limit $3
        """,
        since,
        state,
        limit,
    )
    return [Told(planned(row), row["planned_at"], row["state"], row["detail"]) for row in rows]


async def failed(conn: Connection, since: datetime) -> int:
    """How many mails planned since then could not be sent."""
    count: int = await conn.fetchval(
        "select count(*) from finding_mails where state = 'failed' and planned_at >= $1", since
    )
    return count


async def again(conn: Connection, mail_id: UUID, wall: datetime) -> UUID | None:
    """Have a mail that could not be sent tried anew; returns for whom, None where there is none such."""
    recipient: UUID | None = await conn.fetchval(
        """
        update finding_mails set state = 'pending', attempts = 0, next_at = $2
        where id = $1 and state = 'failed' returning recipient
        """,
        mail_id,
        wall,
    )
    return recipient


def _findings(text: str) -> tuple[Finding, ...]:
    return tuple(map(_finding, json.loads(text)))


def _finding(kept: dict[str, str | list[str]]) -> Finding:
    happened = tuple(kept.pop("happened"))
    return Finding(**{key: str(value) for key, value in kept.items()}, happened=happened)
