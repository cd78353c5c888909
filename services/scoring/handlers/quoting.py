"""What writers of answers said by word about being quoted: written down here, and heard of tasks (R84)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.scoring.store import quoting
from shared.contracts.envelope import Event
from shared.contracts.permissions import PermissionNoted
from shared.db.database import Tx
from shared.db.permissions import announce
from shared.permissions import Word, heard
from shared.runtime.consumer import Route
from shared.security.access_store import audit


async def unquote(tx: Tx, response_id: UUID, *, by: str) -> bool:
    """The writer of an answer told us that it is not to be quoted any more; False where it never was."""
    version = await quoting.allowed(tx.conn, response_id)
    if version is None:
        return False
    word = Word(response_id, version, given=False, at=tx.now, by=by)
    await quoting.note(tx.conn, [word])
    announce(tx, PermissionNoted, word)
    await audit(tx.conn, tx.now, by, "response.unquoted", f"response:{response_id}")
    return True


async def on_noted(events: Sequence[Event[PermissionNoted]], tx: Tx) -> None:
    """Keep what was written down elsewhere; of several the weightiest."""
    await quoting.note(tx.conn, heard(events))


ROUTES = (Route((PermissionNoted.TYPE,), on_noted),)
