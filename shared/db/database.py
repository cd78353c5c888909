"""A service's connection to its schema, and the unit of work: state and events in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, overload

import asyncpg

from shared.contracts.envelope import Event, binary_headers
from shared.contracts.model import Payload
from shared.errors import Unavailable
from shared.runtime.bell import Bell
from shared.runtime.clock import Clock, Machine
from shared.runtime.failpoints import failpoint
from shared.runtime.ids import derive
from shared.runtime.outbox import OutboxRow, write_outbox

if TYPE_CHECKING:
    Connection = asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]
    Pool = asyncpg.Pool[Any]
    _Single = asyncpg.Connection[Any]
else:
    Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
    Pool = asyncpg.Pool
    _Single = asyncpg.Connection

_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")
_D = TypeVar("_D")

CONNECT_SECONDS = 3.0
COMMAND_SECONDS = 15.0


@dataclass(slots=True)
class Tx:
    """One unit of work.

    Attributes:
        conn: the connection, inside the transaction.
        now: business time of the unit; one value for all its rows.
        rejected: events that were put aside by `reject`, with the reason.
    """

    conn: Connection
    now: datetime
    source: str
    emitted: list[Event[Payload]] = field(default_factory=list)
    rejected: list[tuple[Event[Any], str]] = field(default_factory=list)
    traceparent: str = ""

    def emit(self, payload: Payload, *, identity: str, key: str, event_type: str = "") -> None:
        """Announce something with this transaction.

        Args:
            payload: what happened.
            identity: natural key of the effect; the event id is derived from type and identity, so a
                repetition of
                the same effect announces the same event.
            key: partition key, the account's id or else the contact's; never an address.
            event_type: the type where it is open, that is for touchpoints; else it is the payload's own.
        """
        kind = event_type or payload.TYPE
        event_id = str(derive(kind, identity))
        subject = str(getattr(payload, f"{payload.AGGREGATE}_id", "") or identity)
        self.emitted.append(
            Event(event_id, self.source, kind, self.now, subject[:200], key, payload, self.traceparent)
        )

    def reject(self, event: Event[Any], reason: str) -> None:
        """Put one event of the batch aside as a dead letter without failing the others."""
        self.rejected.append((event, reason))


class Database:
    """Pool of one service. `begin` and `read` raise Unavailable when no connection can be had."""

    def __init__(self, pool: Pool, *, service: str, clock: Clock, machine: Machine) -> None:
        self.pool = pool
        self.service = service
        self.clock = clock
        self.machine = machine
        self.bell = Bell()
        """Rung when there may be work for this service's loops."""
        self.outbox_written = asyncio.Event()
        """Set after each commit that left outbox rows; the relay waits for it."""

    @property
    def source(self) -> str:
        """CloudEvents source of this service's events."""
        return f"/afterword/{self.service}"

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """One transaction; leaving it writes the emitted events to the outbox and commits."""
        async with self._connection() as conn:
            async with conn.transaction():
                tx = Tx(conn, self.clock.now(), self.source)
                yield tx
                await write_outbox(conn, [_row(event) for event in tx.emitted], self.machine.wall())
                failpoint("unit.before_commit", self.service)
            failpoint("unit.after_commit", self.service)
            if tx.emitted:
                self.outbox_written.set()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection for queries alone."""
        async with self._connection() as conn:
            yield conn

    @overload
    async def at_once(
        self, one: Callable[[Connection], Awaitable[_A]], other: Callable[[Connection], Awaitable[_B]], /
    ) -> tuple[_A, _B]: ...
    @overload
    async def at_once(
        self,
        one: Callable[[Connection], Awaitable[_A]],
        other: Callable[[Connection], Awaitable[_B]],
        third: Callable[[Connection], Awaitable[_C]],
        /,
    ) -> tuple[_A, _B, _C]: ...
    @overload
    async def at_once(
        self,
        one: Callable[[Connection], Awaitable[_A]],
        other: Callable[[Connection], Awaitable[_B]],
        third: Callable[[Connection], Awaitable[_C]],
        fourth: Callable[[Connection], Awaitable[_D]],
        /,
    ) -> tuple[_A, _B, _C, _D]: ...
    async def at_once(self, *reads: Callable[[Connection], Awaitable[Any]]) -> tuple[Any, ...]:
        """What some reads find, side by side: while one waits for its answer another one works.

        Each has a connection of its own for as long as it takes, so none holds one while it waits for others;
        who holds one already must not call this. The first error ends all of them.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._alone(read)) for read in reads]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return tuple(task.result() for task in tasks)

    async def _alone(self, read: Callable[[Connection], Awaitable[_A]]) -> _A:
        async with self.read() as conn:
            return await read(conn)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A connection for queries alone, all of which see the same moment."""
        async with (
            self._connection() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield conn

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            conn = await self.pool.acquire(timeout=CONNECT_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unavailable(f"database: {type(error).__name__}") from error
        try:
            yield conn
        finally:
            await self.pool.release(conn, timeout=CONNECT_SECONDS)

    async def close(self) -> None:
        """Give all connections back; bounded, the server cleans up what is cut off."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()


def _row(event: Event[Payload]) -> OutboxRow:
    return OutboxRow(
        topic=event.data.TOPIC.value,
        key=event.key.encode(),
        event_id=event.id,
        headers=binary_headers(event),
        value=event.data.dump(),
    )


class _Remembering(_Single):
    """A connection with room for what need not be asked again as long as it lasts."""

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - as asyncpg makes it
        super().__init__(*args, **named)
        self.remembered: dict[str, Any] = {}


def remembered(conn: Connection) -> dict[str, Any]:
    """What a connection of a service remembers, to be added to; any other forgets at once.

    Only what stays true belongs here, whatever others write: transactions and those of others pass it by.
    """
    found: dict[str, Any] | None = getattr(conn, "remembered", None)
    return {} if found is None else found


async def _no_reset(_conn: Connection) -> None:
    """Skip the pool's reset round trip: units of work leave no session state behind."""


async def connect(dsn: str, *, service: str, clock: Clock, machine: Machine, size: int = 10) -> Database:
    """Open a pool whose search path is the service's own schema.

    Raises:
        Unavailable: the server cannot be reached.
    """
    try:
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            reset=_no_reset,
            connection_class=_Remembering,
            server_settings={
                "search_path": service,
                "application_name": f"afterword_{service}",
                "statement_timeout": "15s",
                "lock_timeout": "5s",
                "idle_in_transaction_session_timeout": "15s",
                "timezone": "UTC",
            },
        )
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Unavailable(f"database: {type(error).__name__}") from error
    return Database(pool, service=service, clock=clock, machine=machine)
