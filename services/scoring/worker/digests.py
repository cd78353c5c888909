"""Weekly digests: planned once a week and person, made at the moment of sending, handed over once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from uuid import UUID

from services.scoring import metrics
from services.scoring.channels import digest as mail
from services.scoring.domain.digest import Digest, Schedule, due_week, next_attempt
from services.scoring.domain.health import Part
from services.scoring.store import digests, queries
from services.scoring.store.digests import Claimed
from shared.db.database import Connection, Database
from shared.errors import SendError
from shared.runtime.attempts import Failed, attempted
from shared.runtime.ids import random_id
from shared.runtime.logging import get_logger
from shared.smtp import Server, hand_over

HOLD = timedelta(minutes=5)
"""How long a digest stays with the one who took it; longer than ten mails may take."""

log = get_logger("digests")


@dataclass(frozen=True, slots=True)
class Post:
    """How digests go out: when, by which server, with which address of the house's pages in them."""

    schedule: Schedule
    server: Server
    address: str
    weights: Mapping[Part, float]


def digesting(db: Database, post: Post) -> Callable[[], Awaitable[int]]:
    """One round: plan what is due, hand over what was planned. No transaction is open while a mail goes."""

    async def digest() -> int:
        await _plan(db, post)
        lease = random_id()
        async with db.begin() as tx:
            taken = await digests.claim(tx.conn, lease, db.machine.wall(), tx.now, HOLD)
        for one in taken:
            await _hand_over(db, post, one, lease)
        return len(taken)

    return digest


async def _plan(db: Database, post: Post) -> None:
    async with db.begin() as tx:
        due = [
            (week, one.user.id)
            for one in await digests.addressees(tx.conn)
            if (week := due_week(tx.now, one.user.zone, post.schedule)) is not None
        ]
        if due:
            await digests.plan(tx.conn, due, tx.now, db.machine.wall())


async def _hand_over(db: Database, post: Post, one: Claimed, lease: UUID) -> None:
    state, detail, wait = "sent", "", None
    try:
        message = await _written(db, post, one)
        if message is None:
            state, detail = "failed", "the person no longer leads, owns no account or has left"
        else:
            async with db.begin() as tx:
                ours = await digests.begin(tx.conn, one, lease)
            if not ours:
                return
            await hand_over(message, post.server)
    except SendError as error:
        detail = str(error)
        wait = None if error.uncertain else next_attempt(one.attempts, permanent=error.permanent)
        state = "uncertain" if error.uncertain else "pending" if wait else "failed"
    again = db.machine.wall() + wait if wait else None
    async with db.begin() as tx:
        await digests.record(tx.conn, one, state, detail, lease, (tx.now, again))
    metrics.DIGESTS.labels("retry" if wait else state).inc()


async def _written(db: Database, post: Post, one: Claimed) -> EmailMessage | None:
    """The mail, as `_message` has it.

    Raises:
        SendError: writing it raised what no outage explains: the same may come again, so tries are counted.
    """

    async def write() -> EmailMessage | None:
        async with db.read() as conn:
            return await _message(conn, db, post, one)

    message = await attempted(write)
    if not isinstance(message, Failed):
        return message
    error = message.error
    if message.transient or isinstance(error, SendError):
        raise error
    log.error("digest_unwritten", week=str(one.week), user_id=str(one.user_id), exc_info=error)
    reason = f"the mail could not be written ({type(error).__name__}; the log has more)"
    raise SendError(reason, permanent=False) from error


async def _message(conn: Connection, db: Database, post: Post, one: Claimed) -> EmailMessage | None:
    """The mail as things stand now; None where nothing is the person's to hear any more."""
    found = [a for a in await digests.addressees(conn) if a.user.id == one.user_id]
    if not found:
        return None
    reader, now = found[0], db.clock.now()
    whole = await digests.house(conn, now, post.weights) if reader.leads else None
    own = await digests.own(conn, reader.user.email, now, post.weights) if reader.owns else None
    titles = await queries.titles(conn)
    told = Digest(one.week, whole, own)
    return mail.build(told, reader.user, titles, now, sender=post.server.sender, address=post.address)
