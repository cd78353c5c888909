"""Writes changes of tasks: the tasks, and a line of each timeline with its note sealed."""

from __future__ import annotations

from collections.abc import Sequence

from services.alerts.domain.tasks import Change
from services.alerts.handlers.applying import Desk, Note
from services.alerts.store import tasks
from services.alerts.store.tasks import Written
from shared.db.database import Tx


async def write(desk: Desk, tx: Tx, changes: Sequence[Change]) -> None:
    """Write changes of tasks that there are already."""
    await tasks.update(tx.conn, [change.task for change in changes if change.line])
    await append(desk, tx, changes)


async def append(desk: Desk, tx: Tx, changes: Sequence[Change]) -> None:
    """Add the lines of changes to the timelines of their tasks."""
    said = [(c.task, c.line) for c in changes if c.line]
    noted = [(task, line) for task, line in said if line.note.strip()]
    sealed = await desk.sealer.seal(
        tx.conn, [(task.contact_id, Note(text=line.note.strip())) for task, line in noted]
    )
    notes = {id(line): text for (_, line), text in zip(noted, sealed, strict=True)}
    await tasks.append(
        tx.conn, [Written(task.id, line, notes.get(id(line), ""), task.contact_id) for task, line in said]
    )
