"""The consumer loop: batches of records into one transaction with inbox and outbox, then the offsets.

Mechanism and what must hold: `docs/mechanisms/consumer.md`.
"""

from __future__ import annotations

import asyncio
import hashlib
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shared.bus.model import Partition, Record
from shared.bus.port import Bus, BusConsumer
from shared.contracts.envelope import Event, Reader, decode, named_in
from shared.contracts.topics import TOPICS, Topic
from shared.db.database import Database, Tx
from shared.db.errors import RAISED, is_transient
from shared.errors import Undecodable, Unprocessable
from shared.runtime import inbox, metrics
from shared.runtime.attempts import Failed, attempted
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Machine
from shared.runtime.continuity import Continuity, Mark
from shared.runtime.deadletters import (
    REPLAY_HEADER,
    DeadLetter,
    DeathWatch,
    Limits,
    dead_letters_of,
    put_aside,
)
from shared.runtime.failpoints import failpoint
from shared.runtime.logging import get_logger
from shared.runtime.loops import pause

Handler = Callable[[Sequence[Event[Any]], Tx], Awaitable[None]]
Decode = Callable[[Record], Event[Any] | None]
"""A record's event; None for one to be ignored. Raises Undecodable."""

BATCH = 500
POLL_SECONDS = 0.5
TRIES = 3
LOOK_BACK_SECONDS = 5.0
WATCHDOG_SECONDS = 60.0
_COMPACTED = frozenset(plan.topic.value for plan in TOPICS if plan.retention is None)

log = get_logger("consumer")


@dataclass(frozen=True, slots=True)
class Route:
    """Event types that must be folded together in log order, and the handler that does it."""

    types: tuple[str, ...]
    handle: Handler


@dataclass(frozen=True, slots=True)
class Foreign:
    """Topics of others: in their words, with as many partitions as they like, and perhaps not there yet.

    `topics` is asked again and again: which they are may change while we run.
    """

    topics: Callable[[], tuple[str, ...]]
    decode: Decode


@dataclass(frozen=True, slots=True)
class Compared:
    """Topics on which somebody may send something else under an id that is known; the first stands.

    Needs the columns of `INBOX_DIGESTS`. `tell` gets one entry for each id, in the batch's transaction.
    """

    topics: tuple[Topic, ...]
    tell: Callable[[Sequence[inbox.Conflict], Tx], Awaitable[None]]

    def digests(self, items: Sequence[Item]) -> list[tuple[inbox.Identity, bytes]]:
        """What the items of those topics say, whatever its layout; what a newer model adds is no change."""
        mine = {topic.value for topic in self.topics}
        told = [(item.identity, item.event) for item in items if item.event and item.record.topic in mine]
        return [(identity, _digest_of(event)) for identity, event in told]


def _digest_of(event: Event[Any]) -> bytes:
    said = f"{event.type}\n{event.data.model_dump_json(exclude_defaults=True)}"
    return hashlib.blake2b(said.encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Subscription:
    """The topics that a service reads as one group.

    Attributes:
        topics: their names.
        routes: who handles what; a route of type "*" takes every event.
        foreign: topics of others, read instead by a group of its own, so that they cannot hold up ours.
        readers: event type -> the service's own reader of its data, where it needs only a part of them, fast.
        batch: most records of one transaction.
        members: how many members of the group one process is; of two, one reads while the other commits.
        compared: topics of which bodies under the same id are compared.
    """

    topics: tuple[Topic, ...]
    routes: tuple[Route, ...]
    foreign: Foreign | None = None
    readers: Mapping[str, Reader] = field(default_factory=dict)
    batch: int = BATCH
    members: int = 1
    compared: Compared | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The topics as the broker knows them."""
        return self.foreign.topics() if self.foreign else tuple(topic.value for topic in self.topics)

    def group(self, service: str) -> str:
        """The consumer group of a service's members."""
        return f"afterword.{service}.sources" if self.foreign else f"afterword.{service}"

    def event_of(self, record: Record) -> Event[Any] | None:
        """A record's event; None for one to be ignored.

        Raises:
            Undecodable: it cannot be read.
        """
        if self.foreign:
            return self.foreign.decode(record)
        return decode(record.topic, record.key, record.value, record.headers, self.readers)


@dataclass(frozen=True, slots=True)
class Item:
    """A record with its event, or with the reason why it has none."""

    record: Record
    event: Event[Any] | None
    defect: str = ""

    @property
    def identity(self) -> inbox.Identity:
        """Source and id of the event; only for an item that has one."""
        assert self.event is not None  # noqa: S101 - narrows for callers that filtered
        return (self.event.source, self.event.id)

    @property
    def replayed(self) -> bool:
        """Whether an operator sent it again from the dead letters."""
        return any(name == REPLAY_HEADER for name, _ in self.record.headers)


def decode_event(record: Record) -> Event[Any] | None:
    """The event of a record of ours."""
    return decode(record.topic, record.key, record.value, record.headers)


class Batch:
    """Handles a list of records: in one transaction or, when one is bad, in ever smaller parts."""

    def __init__(
        self,
        routes: Sequence[Route],
        db: Database,
        machine: Machine,
        decode: Decode = decode_event,
        compared: Compared | None = None,
    ) -> None:
        self._service = db.service
        self._decode = decode
        self._routes = routes
        self._db = db
        self._machine = machine
        self._compared = compared

    async def handle(self, records: Sequence[Record]) -> list[Record]:
        """Handle records in order; returns those that were put aside.

        Never raises for a bad record. Infrastructure that is away is waited for, for as long as it takes.
        """
        return await self._attempt([self._read(record) for record in records])

    def _read(self, record: Record) -> Item:
        try:
            return Item(record, self._decode(record))
        except Undecodable as error:
            return Item(record, None, str(error))

    async def _attempt(self, items: Sequence[Item]) -> list[Record]:
        backoff = Backoff(self._machine)
        tries = 0
        while True:
            done = await attempted(partial(self._once, items))
            if not isinstance(done, Failed):
                return done
            if done.transient:
                log.warning("batch_waits", service=self._service, error=type(done.error).__name__)
                await backoff.wait()
                continue
            if len(items) > 1:
                middle = len(items) // 2
                return await self._attempt(items[:middle]) + await self._attempt(items[middle:])
            tries += 1
            if isinstance(done.error, Unprocessable) or tries >= TRIES:
                return await self._bury(items[0], done.error, tries)
            await backoff.wait()

    async def _once(self, items: Sequence[Item]) -> list[Record]:
        """One transaction: claim, handle, put aside what could not be read, commit."""
        wall = self._machine.wall()
        fresh: dict[inbox.Identity, Item] = {}
        for item in items:
            if item.event is not None:
                fresh.setdefault(item.identity, item)
        async with self._db.begin() as tx:
            replayed = [event_id for (_, event_id), item in fresh.items() if item.replayed]
            digests = dict(self._compared.digests(list(fresh.values()))) if self._compared else None
            claimed = await inbox.claim(tx.conn, list(fresh), wall, replayed=replayed, digests=digests)
            failpoint("consumer.after_claim", self._service)
            events = [item.event for identity, item in fresh.items() if identity in claimed and item.event]
            for route in self._routes:
                wanted = events if "*" in route.types else [e for e in events if e.type in route.types]
                if wanted:
                    tx.traceparent = wanted[0].traceparent if len(wanted) == 1 else ""
                    await route.handle(wanted, tx)
                    failpoint("consumer.after_route", self._service)
            await self._compare([i for i in items if _comes_again(i, fresh, claimed)], tx)
            letters = [_letter(i, "Undecodable", i.defect) for i in items if i.defect]
            letters += [_letter(fresh[(e.source, e.id)], "Rejected", reason) for e, reason in tx.rejected]
            await put_aside(tx.conn, letters, self._service, tx.now, wall)
            await inbox.mark_dead(tx.conn, [(e.source, e.id) for e, _ in tx.rejected], wall)
            if letters:
                failpoint("consumer.after_putting_aside", self._service)
        self._count(items, claimed, letters)
        return [letter.record for letter in letters]

    async def _compare(self, again: Sequence[Item], tx: Tx) -> None:
        """Say which of the events that came again are not what the first of their id was."""
        if self._compared and again:
            conflicts = await inbox.note_conflicts(tx.conn, self._compared.digests(again))
            if conflicts:
                await self._compared.tell(conflicts, tx)

    async def _bury(self, item: Item, error: Exception, tries: int) -> list[Record]:
        """Put a single bad record aside; waits for the database as `_attempt` does."""
        if not isinstance(error, Unprocessable):
            trace = "".join(traceback.format_tb(error.__traceback__))
            log.error("handler_failed", service=self._service, error=type(error).__name__, trace=trace)
        reason = str(error) if isinstance(error, Unprocessable) else f"{type(error).__name__}: see the log"
        letter = _letter(item, type(error).__name__, reason, tries)
        backoff = Backoff(self._machine)
        while True:
            try:
                async with self._db.begin() as tx:
                    wall = self._machine.wall()
                    await inbox.mark_dead(tx.conn, [item.identity], wall)
                    await put_aside(tx.conn, [letter], self._service, tx.now, wall)
                    failpoint("consumer.after_burial", self._service)
            except RAISED as again:
                if not is_transient(again):
                    raise
                await backoff.wait()
            else:
                self._count([item], set(), [letter])
                return [item.record]

    def _count(
        self, items: Sequence[Item], claimed: set[inbox.Identity], letters: Sequence[DeadLetter]
    ) -> None:
        dead = {id(letter.record) for letter in letters}
        for letter in letters:
            metrics.DEAD_LETTERS.labels(self._service, letter.record.topic, letter.error).inc()
        totals: dict[tuple[str, str], int] = {}
        for item in items:
            if id(item.record) in dead:
                outcome = "dead"
            elif item.event is None:
                outcome = "ignored"
            else:
                outcome = "done" if item.identity in claimed else "duplicate"
            totals[item.record.topic, outcome] = totals.get((item.record.topic, outcome), 0) + 1
        for (topic, outcome), count in totals.items():
            metrics.CONSUMER_RECORDS.labels(self._service, topic, outcome).inc(count)


def _comes_again(
    item: Item, fresh: Mapping[inbox.Identity, Item], claimed: Collection[inbox.Identity]
) -> bool:
    """Whether an event of this id was handled before, or is handled earlier in the same batch."""
    if item.event is None:
        return False
    return item.identity not in claimed or fresh[item.identity] is not item


def _letter(item: Item, error: str, reason: str, attempts: int = 1) -> DeadLetter:
    event = item.event
    if event is None:
        told = named_in(item.record.value, item.record.headers)
        return DeadLetter(item.record, error, reason, told.source, told.id, told.type, attempts)
    return DeadLetter(item.record, error, reason, event.source, event.id, event.type, attempts)


class ConsumerStuck(Exception):
    """No progress although there is work: the process is to be restarted."""


class ConsumerLoop:
    """Feeds batches from a group's partitions to the handlers and commits offsets behind them."""

    def __init__(
        self,
        subscription: Subscription,
        db: Database,
        bus: Bus,
        machine: Machine,
        *,
        instance: str,
        limits: Limits | None = None,
    ) -> None:
        self.service = db.service
        self.subscription = subscription
        self.stopped: set[Partition] = set()
        self._bus = bus
        self._machine = machine
        rules = subscription
        self._batch = Batch(rules.routes, db, machine, rules.event_of, rules.compared)
        self._instance = instance
        self._limits = limits or Limits()
        self._bell = db.bell
        self._watches: dict[Partition, DeathWatch] = {}
        self._continuity = Continuity(compacted=_COMPACTED)
        self._joined: tuple[BusConsumer, int] | None = None
        self._looked_at = 0.0
        self._progress_at = machine.monotonic()
        self._consumer: BusConsumer | None = None

    @property
    def ready(self) -> bool:
        """Whether partitions are assigned and none was stopped for too many dead records."""
        joined = self._consumer is not None
        if self.subscription.foreign is None:
            joined = self._consumer is not None and bool(self._consumer.assignment())
        elif not self.subscription.names:
            joined = True
        return joined and not self.stopped

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; the batch under way is finished, then the group is left.

        Where the topics change, the group is left and joined again for those that are wanted now.
        """
        backoff = Backoff(self._machine)
        while not stop.is_set():
            topics = self.subscription.names
            if not topics:
                await pause(stop, POLL_SECONDS)
                continue
            consumer = self._bus.consumer(self.subscription.group(self.service), topics, self._instance)
            self._consumer = consumer
            try:
                await self._prepare(topics)
                await consumer.start()
                self._progress_at = self._machine.monotonic()
                while not stop.is_set() and self.subscription.names == topics:
                    await self.step(consumer)
                    backoff.reset()
            except ConsumerStuck:
                log.exception("consumer_stuck", service=self.service, topics=topics)
            except RAISED as error:
                if not is_transient(error):
                    raise
                log.warning("consumer_waits", service=self.service, error=type(error).__name__)
            finally:
                await consumer.stop()
            if not stop.is_set():
                await backoff.wait()

    async def _prepare(self, topics: tuple[str, ...]) -> None:
        """Topics of others may be new: their dead letters need a place, and their past proves nothing."""
        if self.subscription.foreign is None:
            return
        # Whether others compact their topics is not known, so a record that is gone proves nothing.
        self._continuity = Continuity(compacted=topics)
        await self._bus.ensure_topics([dead_letters_of(topic) for topic in topics])

    async def step(self, consumer: BusConsumer) -> int:
        """Take one batch, handle it, commit it; returns the number of records."""
        records = await consumer.getmany(self.subscription.batch, POLL_SECONDS)
        if await self._reborn(consumer):
            return 0
        records = [r for r in records if (r.topic, r.partition) not in self.stopped]
        if not records:
            await self._watchdog(consumer)
            return 0
        started = self._machine.monotonic()
        dead = await self._batch.handle(records)
        metrics.CONSUMER_BATCH_SECONDS.labels(self.service).observe(self._machine.monotonic() - started)
        self._bell.ring()
        failpoint("consumer.after_effect_before_offset", self.service)
        self._watch(records, {id(record) for record in dead})
        newest: dict[Partition, Record] = {(record.topic, record.partition): record for record in records}
        for partition, record in newest.items():
            self._continuity.note(partition, Mark(record.offset, record.timestamp_ms))
        await consumer.commit({partition: record.offset + 1 for partition, record in newest.items()})
        failpoint("consumer.after_offset", self.service)
        self._progress_at = self._machine.monotonic()
        return len(records)

    def _watch(self, records: Sequence[Record], dead: set[int]) -> None:
        for record in records:
            partition = (record.topic, record.partition)
            watch = self._watches.setdefault(partition, DeathWatch(self._limits))
            if watch.saw(dead=id(record) in dead):
                self.stopped.add(partition)
                metrics.CONSUMER_STOPPED.labels(self.service).set(len(self.stopped))
                log.error(
                    "partition_stopped", service=self.service, topic=record.topic, partition=record.partition
                )

    async def _reborn(self, consumer: BusConsumer) -> bool:
        """Notice a broker that lost its data, after a rejoin and every few seconds; then read all again."""
        now = self._machine.monotonic()
        joined = (consumer, consumer.generation)
        if joined == self._joined and now - self._looked_at < LOOK_BACK_SECONDS:
            return False
        self._joined, self._looked_at = joined, now
        mine = consumer.assignment()
        if not await self._continuity.broken(self._bus, [p for p in self._continuity.verified if p in mine]):
            return False
        # What was just fetched stands in the new log too and comes again, behind its predecessors.
        log.warning("broker_reborn", service=self.service)
        metrics.BROKER_BIRTHS.labels(self.service, "consumer").inc()
        await consumer.seek_to_beginning()
        failpoint("consumer.after_rewind", self.service)
        self._continuity.forget()
        return True

    async def _watchdog(self, consumer: BusConsumer) -> None:
        """Raise when there was work for a minute and none of it was taken."""
        now = self._machine.monotonic()
        if now - self._progress_at < WATCHDOG_SECONDS:
            return
        ends = await self._bus.end_offsets(self.subscription.names)
        positions = await consumer.positions()
        behind = [p for p, at in positions.items() if p not in self.stopped and ends.get(p, 0) > at]
        self._progress_at = now
        if behind:
            raise ConsumerStuck
