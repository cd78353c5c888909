"""The outbox relay: brings committed rows to Kafka, in order, even to a broker that lost everything.

Mechanism and what must hold: `docs/mechanisms/outbox.md`. Never a cursor "id > last": rows become visible
out of order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import date, timedelta

import asyncpg

from shared.bus.model import Outgoing, Position
from shared.bus.port import Bus
from shared.contracts.topics import TOPICS
from shared.db.database import Connection, Database, Tx
from shared.db.errors import RAISED, is_transient
from shared.runtime import metrics
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Machine
from shared.runtime.continuity import Continuity, Mark
from shared.runtime.failpoints import failpoint
from shared.runtime.ids import random_id
from shared.runtime.lease import LEASE_SECONDS, drop_lease, take_lease
from shared.runtime.logging import get_logger
from shared.runtime.outbox import load_headers
from shared.runtime.places import topics_of

Republish = Callable[[Tx], Awaitable[None]]

BATCH = 1000
IDLE_SECONDS = 0.5
LOOK_BACK_SECONDS = 2.0
RETENTION = timedelta(days=30)
_COMPACTED = frozenset(plan.topic.value for plan in TOPICS if plan.retention is None)

log = get_logger("relay")

_SELECT = """
select day, id, topic, key, event_id, headers, value from outbox where not published order by id limit $1
"""
_MARK = """
update outbox set published = true from unnest($1::date[], $2::bigint[]) as acked (day, id)
where outbox.day = acked.day and outbox.id = acked.id
"""
_KEEP = """
insert into relay_marks (topic, partition, "offset", timestamp_ms, event_id)
select * from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::text[])
on conflict (topic, partition) do update
    set "offset" = excluded."offset", timestamp_ms = excluded.timestamp_ms, event_id = excluded.event_id
"""
_PARTITIONS = """
select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'outbox'::regclass and c.relname <> 'outbox_default'
"""


class Relay:
    """Publishes one service's outbox while it holds the lease."""

    def __init__(
        self, db: Database, bus: Bus, machine: Machine, *, republish: Republish | None = None
    ) -> None:
        self._service = db.service
        self._db = db
        self._bus = bus
        self._machine = machine
        self._republish = republish
        self._holder = random_id()
        self._topics = topics_of(self._service)
        self._continuity: Continuity | None = None
        self._sure = False
        """Whether the log was looked at, and our topics were there, since anything last failed."""
        self._leased_at = float("-inf")
        self._looked_at = float("-inf")
        self._swept_at = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop; the batch under way is finished."""
        backoff = Backoff(self._machine)
        try:
            while not stop.is_set():
                try:
                    published = await self.step()
                except RAISED as error:
                    if not is_transient(error):
                        raise
                    log.warning("relay_waits", service=self._service, error=type(error).__name__)
                    await backoff.wait()
                    continue
                backoff.reset()
                if not published:
                    await self._idle()
        finally:
            with suppress(*RAISED):
                async with asyncio.timeout(1), self._db.read() as conn:
                    await drop_lease(conn, "relay", self._holder)

    async def step(self) -> int:
        """One round: hold the lease, look back, publish a batch; returns how many rows were acked."""
        if not await self._lease():
            return 0
        await self._look_back()
        await self._sweep()
        self._db.outbox_written.clear()
        async with self._db.read() as conn:
            rows = await conn.fetch(_SELECT, BATCH)
        if not rows:
            return 0
        failpoint("relay.before_produce", self._service)
        self._sure = False
        positions = await self._bus.produce([_outgoing(row) for row in rows])
        failpoint("relay.after_produce_before_mark", self._service)
        self._sure = True
        await self._acked(rows, positions)
        failpoint("relay.after_mark", self._service)
        return len(rows)

    async def _lease(self) -> bool:
        now = self._machine.monotonic()
        if now - self._leased_at < LEASE_SECONDS / 3:
            return True
        async with self._db.read() as conn:
            if not await take_lease(conn, "relay", self._holder):
                self._continuity = None
                return False
        self._leased_at = now
        return True

    async def _look_back(self) -> None:
        """First, after each failure and every two seconds: is the last acked record still in its place?

        Only then are our topics made, where they are missing. Nobody else makes them, so nothing new stands
        in a reborn broker before what stood in the former one.
        """
        now = self._machine.monotonic()
        if self._sure and self._continuity is not None and now - self._looked_at < LOOK_BACK_SECONDS:
            return
        certain, self._sure = self._sure, False
        if self._continuity is None:
            self._continuity = await self._remembered()
        if await self._continuity.broken(self._bus):
            await self._reborn(self._continuity)
            certain = False
        else:
            await self._keep(self._continuity)
        if not certain:
            await self._bus.ensure_topics(self._topics)
        self._looked_at, self._sure = now, True

    async def _remembered(self) -> Continuity:
        async with self._db.read() as conn:
            rows = await conn.fetch('select topic, partition, "offset", timestamp_ms from relay_marks')
        return Continuity({(r[0], r[1]): Mark(r[2], r[3]) for r in rows}, compacted=_COMPACTED)

    async def _keep(self, continuity: Continuity) -> None:
        marks = list(continuity.verified.items())
        if not marks:
            return
        async with self._db.read() as conn:
            await conn.execute(
                _KEEP,
                [topic for (topic, _), _ in marks],
                [number for (_, number), _ in marks],
                [mark.offset for _, mark in marks],
                [mark.timestamp_ms for _, mark in marks],
                ["" for _ in marks],
            )

    async def _reborn(self, continuity: Continuity) -> None:
        """The broker lost its data: what is retained is unpublished again, state topics are told anew."""
        async with self._db.begin() as tx:
            again = await tx.conn.fetchval(
                """
                with again as (update outbox set published = false where published and day >= $1 returning 1)
                select count(*) from again
                """,
                (self._machine.wall() - RETENTION).date(),
            )
            await tx.conn.execute("delete from relay_marks")
            if self._republish is not None:
                await self._republish(tx)
            failpoint("relay.after_republish", self._service)
        continuity.forget()
        metrics.BROKER_BIRTHS.labels(self._service, "relay").inc()
        log.warning("broker_reborn", service=self._service, rows=again)

    async def _acked(self, rows: Sequence[asyncpg.Record], positions: Sequence[Position]) -> None:
        async with self._db.read() as conn:
            await conn.execute(_MARK, [row["day"] for row in rows], [row["id"] for row in rows])
        assert self._continuity is not None  # noqa: S101 - set by _look_back in the same step
        first_marks = False
        for position in positions:
            partition = (position.topic, position.partition)
            first_marks |= partition not in self._continuity.verified
            self._continuity.note(partition, Mark(position.offset, position.timestamp_ms))
            metrics.OUTBOX_PUBLISHED.labels(self._service, position.topic).inc()
        if first_marks:
            await self._keep(self._continuity)

    async def _sweep(self) -> None:
        """Once an hour: make the next days' partitions, drop those that were kept long enough."""
        now = self._machine.monotonic()
        if now - self._swept_at < 3600:  # noqa: PLR2004 - an hour
            return
        async with self._db.read() as conn:
            await make_partitions(conn, self._machine)
            await drop_partitions(conn, self._machine)
        self._swept_at = now

    async def _idle(self) -> None:
        """Wait for the next commit of this process, or a moment for those of others."""
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                await self._db.outbox_written.wait()


def _outgoing(row: asyncpg.Record) -> Outgoing:
    return Outgoing(row["topic"], row["key"], row["value"], load_headers(row["headers"]))


async def make_partitions(conn: Connection, machine: Machine) -> None:
    """Make the partitions of the next two days; rows of today may already lie in the default one."""
    existing = {row[0] for row in await conn.fetch(_PARTITIONS)}
    for ahead in (1, 2):
        day = machine.wall().date() + timedelta(days=ahead)
        name = f"outbox_{day:%Y%m%d}"
        if name not in existing:
            until = day + timedelta(days=1)
            await conn.execute(
                f"create table {name} partition of outbox for values from ('{day}') to ('{until}')"
                " with (toast_tuple_target = 8160)"  # as the default partition: see shared/db/ddl.py
            )


async def drop_partitions(conn: Connection, machine: Machine) -> None:
    """Drop whole days past the retention; never one that still holds an unpublished row."""
    limit = f"outbox_{(machine.wall() - RETENTION).date():%Y%m%d}"
    for row in await conn.fetch(_PARTITIONS):
        name = row[0]
        if name >= limit:
            continue
        day = date.fromisoformat(name.removeprefix("outbox_"))
        unsent = "select exists (select from outbox where day = $1 and not published)"
        if not await conn.fetchval(unsent, day):
            await conn.execute(f"drop table {name}")
    await conn.execute(
        "delete from outbox_default where published and day < $1", (machine.wall() - RETENTION).date()
    )


async def outbox_depth(conn: Connection, machine: Machine) -> tuple[int, float]:
    """Unpublished rows and the age in seconds of the oldest, by machine time."""
    row = await conn.fetchrow("select count(*), min(written_at) from outbox where not published")
    assert row is not None  # noqa: S101 - an aggregate always has a row
    age = (machine.wall() - row[1]).total_seconds() if row[1] else 0.0
    return row[0], max(age, 0.0)
