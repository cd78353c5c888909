"""Invitations to take part in a fix (R94): they take a place in quarantines and budgets like a survey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.trigger.domain.model import Ask, AskState
from shared.db.database import Connection

INVITATION = "invitation to take part"
"""Stands where a survey has its programme; no programme's key has spaces in it."""

_SAVE = """
insert into invitations (message_id, contact_id, account_id, asked_at)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[])
on conflict do nothing
"""
_RETURN = """
update invitations set returned_at = $2 where message_id = any($1) and returned_at is null
returning *
"""
_RECENT = """
select * from invitations
where asked_at > $3 and returned_at is null and (contact_id = any($1) or account_id = any($2))
"""


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody to whom an invitation went."""

    message_id: UUID
    contact_id: UUID
    account_id: UUID | None
    asked_at: datetime


async def save(conn: Connection, found: Sequence[Invited]) -> None:
    """Write down whom invitations went to; repeating it changes nothing."""
    if found:
        rows = sorted((one.message_id, one.contact_id, one.account_id, one.asked_at) for one in found)
        await conn.execute(_SAVE, *map(list, zip(*rows, strict=True)))


async def give_back(conn: Connection, message_ids: Sequence[UUID], at: datetime) -> list[Ask]:
    """Free the places of invitations that never reached anybody; those that had one."""
    if not message_ids:
        return []
    return [_ask(row) for row in await conn.fetch(_RETURN, sorted(message_ids), at)]


async def recent(
    conn: Connection, contacts: Sequence[UUID], accounts: Sequence[UUID], since: datetime
) -> list[Ask]:
    """Invitations to people and accounts that may still count, as what was asked of them."""
    return [_ask(row) for row in await conn.fetch(_RECENT, contacts, accounts, since)]


def _ask(row: Mapping[str, Any]) -> Ask:
    return Ask(
        survey_id=row["message_id"],
        plan_id=row["message_id"],
        programme=INVITATION,
        version="",
        family=None,
        contact_id=row["contact_id"],
        account_id=row["account_id"],
        asked_at=row["asked_at"],
        closes_at=row["asked_at"],
        state=AskState.OPEN,
    )
