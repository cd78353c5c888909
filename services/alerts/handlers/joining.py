"""Customers say whether they take part in an improvement; a yes is a task for its owner (R94)."""

from __future__ import annotations

from uuid import UUID

from services.alerts.domain import taking_part as rules
from services.alerts.domain.taking_part import KIND, Invitation, Said
from services.alerts.domain.task_kinds import kind_of
from services.alerts.handlers.applying import Desk
from services.alerts.store import cases, improvements, taking_part, tasks
from services.alerts.store.tasks import Written
from shared.db.database import Connection, Tx
from shared.runtime.ids import derive

PURPOSE = "invitation"
"""What the link of the mail was signed for."""


async def invited(desk: Desk, conn: Connection, token: str) -> Invitation | None:
    """The invitation that a link leads to; None for what was not signed for one, and for the erased."""
    found = desk.tokens.verify(PURPOSE, token) if desk.tokens is not None else None
    one = await taking_part.invitation(conn, found.subject) if found else None
    return None if one is None or one.erased else one


async def answer(desk: Desk, tx: Tx, message_id: UUID, said: Said) -> Invitation | None:
    """Write down what they say, however often; None where there is no such invitation."""
    seen = await taking_part.invitation(tx.conn, message_id)
    if seen is None:
        return None
    await cases.lock(tx.conn, {seen.answer.case_key})
    await improvements.lock(tx.conn, seen.improvement.id)
    one = await taking_part.invitation(tx.conn, message_id)
    after = rules.after(one, said) if one else None
    if one is None or after is None or after is one.said:
        return one
    task_id = await _open(desk, tx, one) if after is Said.YES else None
    await taking_part.save(tx.conn, one, after, task_id, tx.now)
    return await taking_part.invitation(tx.conn, message_id)


async def _open(desk: Desk, tx: Tx, one: Invitation) -> UUID:
    task_id = derive("task", KIND, one.message_id)
    kind = kind_of(KIND, desk.roster.tasks)
    change = rules.task_of(one, kind, task_id, derive("taking part", one.message_id), tx.now)
    if await tasks.add(tx.conn, [change.task]) and change.line is not None:
        await tasks.append(tx.conn, [Written(task_id, change.line, "", change.task.contact_id)])
    return task_id
