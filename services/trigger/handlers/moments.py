"""Moments that may be worth a question: what is offered, and what an operator set aside."""

from __future__ import annotations

from datetime import date

from services.trigger.domain.candidates import Candidate, SetAside, candidates
from services.trigger.store import habits, programmes
from shared.db.database import Connection, Tx


class NoMomentError(LookupError):
    """There is no such moment; nobody had it lately, or its key is written differently."""


async def offered(conn: Connection, today: date) -> list[Candidate]:
    """All moments, those that were set aside last."""
    found = await habits.spotted(conn, today)
    editions = await programmes.current_editions(conn)
    return candidates(found, editions, await habits.set_asides(conn))


async def one_of(conn: Connection, today: date, key: str) -> Candidate:
    """A moment by its key.

    Raises:
        NoMomentError: There is none.
    """
    found = next((one for one in await offered(conn, today) if one.key == key), None)
    if found is None:
        raise NoMomentError(f"there is no moment {key!r}")
    return found


async def set_aside(tx: Tx, key: str, by: str) -> None:
    """Offer a moment no more, until somebody wants it again; to do so twice changes nothing.

    Raises:
        NoMomentError: There is none.
    """
    await one_of(tx.conn, tx.now.date(), key)
    await habits.set_aside(tx.conn, key, SetAside(by, tx.now))


async def offer_again(tx: Tx, key: str) -> None:
    """Offer a moment again that was set aside; of one that was not, nothing changes."""
    await habits.offer_again(tx.conn, key)
