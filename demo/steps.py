"""Moves business time step by step, and only when the product has finished all that was due.

This is the demo's stop watch, not part of the product: it looks at outboxes, lag and due rows of all
services.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

SERVICES = ("trigger", "dispatch", "collector", "scoring", "alerts")
QUIET_SECONDS = 180.0
AGAIN_SECONDS = 15.0
READS_OF = {
    "trigger": ("touchpoints", "deliveries", "responses", "tickets"),
    "dispatch": ("surveys", "messages", "responses", "directory", "programmes"),
    "collector": ("surveys", "deliveries", "directory", "programmes"),
    "scoring": (
        "responses",
        "surveys",
        "deliveries",
        "directory",
        "programmes",
        "context",
        "tickets",
        "permissions",
    ),
    "alerts": ("responses", "directory", "deliveries", "context", "permissions", "findings"),
}
READS = {service: tuple(f"afterword.{topic}" for topic in topics) for service, topics in READS_OF.items()}
"""What each service reads (`docs/architecture.md`)."""

WRITES_OF = {
    "trigger": {"directory", "context", "programmes", "surveys", "touchpoints"},
    "dispatch": {"deliveries"},
    "collector": {"responses"},
    "scoring": {"findings", "permissions"},
    "alerts": {"tickets", "messages", "permissions"},
}
WRITES = {service: {f"afterword.{topic}" for topic in topics} for service, topics in WRITES_OF.items()}

_DUE = """
select 'plans', min(due_at) from trigger.plans where state = 'pending'
union all select 'reminders', min(next_step_at) from trigger.asks where state = 'open'
union all select 'closings', min(closes_at) from trigger.asks where closed_at is null
union all select 'settling', min(case when h.survey_id is null then at_latest else ready_at end)
    from collector.settling s left join collector.hand_overs h using (survey_id)
union all select 'hours', min(opens_at) from dispatch.messages where state = 'planned'
union all select 'clocks', min(due_at) from alerts.timers
union all select 'unconfirmed', min(due_at) from alerts.unconfirmed
    where state = 'waiting' and late_at is null
union all select 'pages', min(due_at) from alerts.held_notices where state = 'held'
"""
_DIGESTS = """
union all select 'digests', min((coalesce(
        (select max(d.week) + 7 from scoring.digests d where d.user_id = u.id),
        date_trunc('week', (u.created_at at time zone u.zone) - time '08:00' + interval '7 days')::date
    ) + time '08:00') at time zone u.zone)
from access.users u where u.disabled_at is null and u.role in ('manager', 'admin')
"""
"""Leaders hear on the next Monday at eight on their clock after the last time, the first after they came."""

# A digest that somebody has taken is not waited for: of whoever was killed it stays for five minutes.
_IN_HAND = """
select (select count(*) from dispatch.messages where state in ('claimed', 'handing_over')
        or (state = 'planned' and not_before <= clock.machine_now()))
     + (select count(*) from alerts.notices where state in ('pending', 'handing_over'))
     + (select count(*) from scoring.digests where state = 'pending' and next_at <= clock.machine_now()
        and coalesce(leased_until <= clock.machine_now(), true))
"""
_OUTBOX = """
select '{0}', (select count(*) from {0}.outbox where not published),
    (select coalesce(max(id), 0) from {0}.outbox)
"""
_OUTBOXES = " union all ".join(_OUTBOX.format(service) for service in SERVICES)


_WAYS = {
    (writer, reader): [topic for topic in topics if topic in WRITES[writer]]
    for writer in SERVICES
    for reader, topics in READS.items()
    if WRITES[writer] & set(topics)
}
_NEWEST = " union all ".join(f"select '{s}', coalesce(max(id), 0) from {s}.outbox" for s in SERVICES)  # noqa: S608 - our own names
_WAY = """
select '{writer}', '{reader}', count(*) from {writer}.outbox o
where id > {seen} and topic = any(array{topics}) and not exists (
    select from {reader}.inbox i where i.event_id = o.event_id and i.source = '/afterword/{writer}'
)
"""
_UNHEARD = """
select count(*) from unnest($1::text[]) as told (id)
where not exists (select from trigger.inbox i where i.event_id = told.id)
    and not exists (select from trigger.dead_letters d where d.headers like '%"' || told.id || '"%')
"""


class NotQuiet(Exception):
    """The product did not come to rest; the message says what is still due."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One look at what is still to be done: anything left, and how far the outboxes have come."""

    left: dict[str, int]
    written: tuple[int, ...]


@dataclass(slots=True)
class Telling:
    """Events that backends wrote in this step, and how they write them again."""

    ids: list[str]
    again: Callable[[], Awaitable[None]]
    at: float = field(default_factory=time.monotonic)  # noqa: TID251 - the demo's own patience


class StopWatch:
    """Sets business time and waits until all that became due is done.

    Args:
        admin_dsn: the database.
        noticed: waits until the product goes by an instant.
        digests: whether weekly digests go out, at the hour that is usual.
    """

    def __init__(
        self, admin_dsn: str, noticed: Callable[[datetime], Awaitable[None]], *, digests: bool = False
    ) -> None:
        self._dsn = admin_dsn
        self._noticed = noticed
        self._due = _DUE + (_DIGESTS if digests else "")
        self._seen: dict[tuple[str, str], int] = {}
        self._conn: asyncpg.Connection | None = None

    async def set(self, at: datetime) -> None:
        """Stop business time at an instant; returns when the product goes by it."""
        conn = await self._database()
        await conn.execute(
            "update clock.anchor set business_at = $1, machine_at = clock.machine_now(), rate = 0", at
        )
        await self._noticed(at)

    async def run_on(self) -> None:
        """Let business time go on at its natural pace."""
        conn = await self._database()
        await conn.execute("update clock.anchor set machine_at = clock.machine_now(), rate = 1")

    async def next_due(self) -> datetime | None:
        """When the product has to do something next by itself."""
        conn = await self._database()
        return min((at for _, at in await conn.fetch(self._due) if at is not None), default=None)

    async def quiet(self, now: datetime, *, heard: Telling | None = None) -> None:
        """Wait until outboxes are empty, all who read have read, and nothing is due.

        Args:
            now: business time.
            heard: what backends told in this step.

        Raises:
            NotQuiet: after two minutes.
        """
        until = time.monotonic() + QUIET_SECONDS  # noqa: TID251 - the demo's own patience
        left: dict[str, int] = {"unknown": 1}
        while time.monotonic() < until:  # noqa: TID251 - the demo's own patience
            try:
                left = await self._left(now)
                if not left and heard is not None:
                    left = await self._unheard(heard)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                left = {type(error).__name__: 1}
                await self.close()
            if not left:
                return
            await asyncio.sleep(0.02)
        raise NotQuiet(str(left))

    async def _left(self, now: datetime) -> dict[str, int]:
        before = await self._look(now)
        if before.left:
            return before.left
        on_the_way = await self._on_the_way()
        if on_the_way:
            return {"on the way": on_the_way}
        after = await self._look(now)
        # Something was written while we looked: it may be on its way through the broker.
        return after.left or ({} if after.written == before.written else {"fresh": 1})

    async def _look(self, now: datetime) -> Standing:
        conn = await self._database()
        rows = await conn.fetch(_OUTBOXES)
        left = {f"{row[0]} outbox": row[1] for row in rows if row[1]}
        left |= {name: 1 for name, at in await conn.fetch(self._due) if at is not None and at <= now}
        in_hand = await conn.fetchval(_IN_HAND)
        if in_hand:
            left["mails in hand"] = in_hand
        return Standing(left, tuple(row[2] for row in rows))

    async def _on_the_way(self) -> int:
        """Events that were published but not yet handled by all who read them."""
        conn = await self._database()
        newest: dict[str, int] = {row[0]: row[1] for row in await conn.fetch(_NEWEST)}
        ways = [
            _WAY.format(writer=way[0], reader=way[1], seen=self._seen.get(way, 0), topics=topics)
            for way, topics in _WAYS.items()
            if newest[way[0]] > self._seen.get(way, 0)
        ]
        if not ways:
            return 0
        waiting = 0
        for writer, reader, missing in await conn.fetch(" union all ".join(ways)):
            waiting += missing
            if not missing:
                self._seen[writer, reader] = newest[writer]
        return waiting

    async def _unheard(self, heard: Telling) -> dict[str, int]:
        """What backends told and trigger never got: lost with the broker; careful backends tell it again."""
        conn = await self._database()
        lost = await conn.fetchval(_UNHEARD, heard.ids)
        now = time.monotonic()  # noqa: TID251 - the demo's own patience
        if lost and now - heard.at > AGAIN_SECONDS:
            heard.at = now
            await heard.again()
        return {"unheard": lost} if lost else {}

    async def _database(self) -> asyncpg.Connection:
        if self._conn is None or self._conn.is_closed():
            self._conn = await asyncpg.connect(self._dsn, timeout=5)
        return self._conn

    async def close(self) -> None:
        """Give all connections back."""
        conn, self._conn = self._conn, None
        if conn is not None:
            await conn.close()
