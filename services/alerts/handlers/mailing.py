"""Hands over mails that are about no case: each under a lease, and what became of it is noted.

No transaction is open while a mail is handed over. Who vanishes in between leaves it to be repeated with the
same id when the lease ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from prometheus_client import Counter

from services.alerts.domain import retry
from services.alerts.domain.alarm import Text
from services.alerts.domain.routing import Member
from services.alerts.handlers.applying import Desk
from services.alerts.store import directory, mailing
from services.alerts.store.mailing import Mails
from shared.db.database import Connection, Database, Tx
from shared.errors import SendError
from shared.runtime.ids import random_id

BATCH = 20
HOLD = timedelta(seconds=60)
"""How long a mail stays with the one who took it; longer than a mail's time-out."""
GONE = "the recipient is no longer active"

Mail = Callable[[UUID, str, str, Text], Awaitable[None]]
"""Hands one mail over: its id, address, name and words. Raises SendError."""


class Planned(Protocol):
    """A mail that waits to be written; `attempts`: how often it was taken, this time included."""

    @property
    def id(self) -> UUID:
        """Its id, the same however often it is repeated."""

    @property
    def attempts(self) -> int:
        """How often it was taken."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it goes out."""

    to: Member
    words: Text


One = TypeVar("One", bound=Planned)


@dataclass(frozen=True, slots=True)
class Post(Generic[One]):
    """One kind of mails.

    Attributes:
        mails: where they stand, and `read` what a row of that says.
        write: how one goes out as things are now, or why it cannot.
        counted: attempts by result.
        hold: how long one stays with who took it; longer than writing it and a mail's time-out.
        failed: what follows in the transaction that notes that one could not be sent.
    """

    mails: Mails
    read: Callable[[Any], One]
    write: Callable[[Connection, One], Awaitable[Letter | str]]
    counted: Counter
    hold: timedelta = HOLD
    failed: Callable[[Tx, One], Awaitable[None]] | None = None


async def send_due(desk: Desk, db: Database, mail: Mail, post: Post[One]) -> int:
    """Hand over the mails of a kind that are due; returns how many were tried."""
    lease, machine = random_id(), desk.machine
    async with db.begin() as tx:
        rows = await mailing.claim(tx.conn, post.mails, lease, machine.wall(), hold=post.hold, limit=BATCH)
    for one in map(post.read, rows):
        async with db.snapshot() as conn:
            letter = await post.write(conn, one)
        state, detail, wait = await _tried(mail, one, letter)
        async with db.begin() as tx:
            next_at = machine.wall() + wait if wait else None
            await mailing.record(tx.conn, post.mails, one.id, lease, (state, detail, next_at))
            if state == "failed" and post.failed:
                await post.failed(tx, one)
        post.counted.labels("retry" if wait else state).inc()
    return len(rows)


async def address_of_pages(conn: Connection, public_url: str) -> str:
    """Where links of mails lead: the organisation's own address, else that of the settings."""
    organisation = await directory.organisation(conn)
    return (organisation.public_url or public_url).rstrip("/")


async def _tried(mail: Mail, one: Planned, letter: Letter | str) -> tuple[str, str, timedelta | None]:
    """What became of a mail: state, why, and how long to wait before the next attempt."""
    if isinstance(letter, str):
        return "failed", letter, None
    try:
        await mail(one.id, letter.to.email, letter.to.name, letter.words)
    except SendError as error:
        wait = retry.next_attempt(one.attempts, permanent=error.permanent, retry_after=error.retry_after)
        return ("failed" if wait is None else "pending"), str(error), wait
    return "sent", "", None
