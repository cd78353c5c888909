"""A lease row: one holder at a time, for ten seconds of the shared machine clock.

No session advisory lock: a stopped process would keep it. A holder that was stopped may still finish what
it had begun, so what is done under a lease must also be harmless when done twice.

A lease that ends further ahead than anybody can take one was taken before the clock was put back: its holder
may be dead, and nobody would wait for that hour to come again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from shared.db.database import Connection

LEASE_SECONDS = 10

_TAKE = """
insert into leases as held (name, holder, until_at)
values ($1, $2, clock.machine_now() + make_interval(secs => $3))
on conflict (name) do update set holder = $2, until_at = excluded.until_at
    where held.holder = $2 or held.until_at < clock.machine_now()
        or held.until_at > clock.machine_now() + 2 * make_interval(secs => $3)
returning true
"""


async def take_lease(conn: Connection, name: str, holder: UUID, seconds: float = LEASE_SECONDS) -> bool:
    """Take or renew a lease; False when somebody else holds it."""
    return bool(await conn.fetchval(_TAKE, name, holder, seconds))


async def drop_lease(conn: Connection, name: str, holder: UUID) -> None:
    """Give a lease back so that the next holder need not wait."""
    await conn.execute("delete from leases where name = $1 and holder = $2", name, holder)
