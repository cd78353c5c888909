"""Limits by provider and recipient's domain, kept by all instances together: who waits, and who is called."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.dispatch import metrics
from services.dispatch.domain.address import Address
from services.dispatch.domain.look import Go
from services.dispatch.domain.pace import Candidate, Limits, admit, room
from services.dispatch.store import pace
from services.dispatch.worker.preparing import Examined
from shared.db.database import Connection, Database
from shared.security.sealing import Sealer


async def keep_to(
    conn: Connection, token: UUID, seen: Sequence[Examined], limits: Limits, sealer: Sealer
) -> list[Examined]:
    """Put those in line whom a limit does not let through, and give the others.

    Args:
        conn: the connection, inside the transaction that writes the hand-overs down.
        token: of the lease under which the messages are.
        seen: messages after their last look; those that will not go take no place.
        limits: what is kept to.
        sealer: hashes domains that no setting names.
    """
    candidates = [
        Candidate(one.claimed.delivery_id, one.claimed.arrived_at, of)
        for one in seen
        if isinstance(one.verdict, Go) and not one.defect and one.address is not None
        if (of := limits.of(one.claimed.channel, one.address, _mark(one.address, limits, sealer)))
    ]
    if not candidates:
        return list(seen)
    lines, now = await pace.hold(conn, [limit for one in candidates for limit in one.limits])
    admitted = admit(candidates, lines, now)
    await pace.take(conn, admitted.next_at)
    await pace.stand(conn, token, admitted.waiting)
    return [one for one in seen if one.claimed.delivery_id not in admitted.waiting]


def count_waiting(before: Sequence[Examined], after: Sequence[Examined]) -> None:
    """Count who had to stand in line, once it is committed."""
    through = {one.claimed.delivery_id for one in after}
    for one in before:
        if one.claimed.delivery_id not in through:
            metrics.LIMITED.labels(one.claimed.channel.value).inc()


async def let_out(db: Database) -> int:
    """Call the first ones of each line, as many as may begin now; how many they were."""
    async with db.begin() as tx:
        free = {one.key: _free(one) for one in await pace.occupied(tx.conn)}
        called = {key: number for key, number in free.items() if number > 0}
        return await pace.let_out(tx.conn, called) if called else 0


def _free(one: pace.Occupied) -> int:
    """How many more may be called: room that nobody who was called before is still to use."""
    return room(one.per_minute, one.next_at, one.now) - one.called


def _mark(recipient: object, limits: Limits, sealer: Sealer) -> str:
    if limits.each_domain is None or not isinstance(recipient, Address):
        return ""
    return sealer.blind("domain", recipient.domain)
