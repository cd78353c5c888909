"""Mails that tell of findings: what each says is kept with it until it was handed over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.domain.findings import Finding
from services.alerts.store import mailing
from services.alerts.store.mailing import Mails
from shared.db.database import Connection


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


async def claim(
    conn: Connection, lease: UUID, wall: datetime, *, hold: timedelta, limit: int
) -> list[Planned]:
    """Take mails that are due, or whose last holder vanished while handing over."""
    rows = await mailing.claim(conn, Mails.FINDINGS, lease, wall, hold=hold, limit=limit)
    return [
        Planned(
            row["id"], row["recipient"], tuple(map(_finding, json.loads(row["findings"]))), row["attempts"]
        )
        for row in rows
    ]


def _finding(kept: dict[str, str | list[str]]) -> Finding:
    happened = tuple(kept.pop("happened"))
    return Finding(**{key: str(value) for key, value in kept.items()}, happened=happened)
