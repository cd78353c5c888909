"""Who acts, and where a list goes on: the same for everything that alerts gives to programs."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

from services.alerts.store import rota
from shared.db.database import Tx
from shared.security.access import Principal
from shared.web.problems import Problem


def actor(who: Principal, user_id: UUID | None) -> UUID:
    """Who acts: whoever is signed in, else the one in whose name an API key says that it does.

    Raises:
        Problem: 422, a key named nobody.
    """
    by = who.user.id if who.user else user_id
    if by is None:
        raise _nobody("An API key is no person: say who acts.")
    return by


async def must_work(tx: Tx, by: UUID) -> None:
    """See to it that somebody may work on cases.

    Raises:
        Problem: 422, they may not.
    """
    if by not in (await rota.staff(tx.conn, tx.now, ())).workers:
        raise _nobody("The user is unknown, disabled, or may only look.")


def next_of(at: datetime, row: UUID) -> str:
    """The text by which the following page of a list is asked for."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {row}".encode()).decode()


def decoded(after: str) -> tuple[datetime, UUID] | None:
    """Read such a text; None for the first page.

    Raises:
        Problem: 422, it is none of ours.
    """
    if not after:
        return None
    try:
        at, _, row = base64.urlsafe_b64decode(after.encode()).decode().partition(" ")
        return datetime.fromisoformat(at), UUID(row)
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise Problem(
            422, "This is not a place in the list.", what_to_do="Send back `next` as it came.", field="after"
        ) from None


def _nobody(why: str) -> Problem:
    return Problem(422, why, what_to_do="Send user_id with the id of an active rep.", field="user_id")
