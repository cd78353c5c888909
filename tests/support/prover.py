"""Proves the rules of delivery on real records while a story goes on: each of them dies, doubles and repeats.

A record's effect is first read inside its transaction, which then dies: nothing of it may stay. Then two
instances handle it at the same time, and a third one later: the effect must be that one effect.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from typing_extensions import override

from shared.bus.model import Record
from shared.contracts.envelope import decode
from shared.db.database import Database, Tx, connect
from shared.runtime.consumer import Batch
from shared.runtime.failpoints import Died
from tests.support.house import House
from tests.support.rooms import POOL
from tests.support.state import State, state_of

Sample = tuple[str, str]
"""A service and an event type that it reads."""


@dataclass(slots=True)
class Proof:
    """What was seen of one event type in one service: records proved, effects seen, promises broken."""

    records: int = 0
    effects: int = 0
    broken: list[str] = field(default_factory=list)


class DyingDatabase(Database):
    """A database whose process dies at the end of a unit of work, after telling what it would have left."""

    def __init__(self, real: Database) -> None:
        super().__init__(real.pool, service=real.service, clock=real.clock, machine=real.machine)
        self.last: State | None = None

    @override
    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        async with super().begin() as tx:
            yield tx
            seen = await state_of(tx.conn, self.service)
            seen.announced.update(event.id for event in tx.emitted)
            self.last = seen
            raise Died


class ProvingBatch(Batch):
    """Stands in for a consumer's batch: takes record by record, and proves the first few of each type."""

    def __init__(self, real: Batch, house: House, db: Database, twin: Database, proofs: Proofs) -> None:
        super().__init__(real._routes, db, house.machine, real._decode, real._compared)
        self._house = house
        self._twin = Batch(real._routes, twin, house.machine, real._decode, real._compared)
        self._proofs = proofs

    @override
    async def handle(self, records: Sequence[Record]) -> list[Record]:
        dead: list[Record] = []
        for record in records:
            event = decode(record.topic, record.key, record.value, record.headers)
            sample = (self._service, event.type if event else "")
            if event is None or self._proofs.enough(sample):
                dead += await super().handle([record])
            else:
                await self._prove(record, self._proofs.of[sample])
        return dead

    async def _prove(self, record: Record, proof: Proof) -> None:
        proof.records += 1
        before = await self._look()
        expected = await self._would_do(record)
        if await self._look() != before:
            proof.broken.append("a crash before the commit left something")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().handle([record]))
            tasks.create_task(self._twin.handle([record]))
        once = await self._look()
        if once.tables != expected.tables or once.announced != expected.announced:
            proof.broken.append(f"two at once differ from once: {_difference(expected, once)}")
        await self._twin.handle([record])
        again = await self._look()
        if again != once:
            proof.broken.append(f"twice differs from once: {_difference(once, again)}")
        if once.tables["dead_letters"] != before.tables["dead_letters"]:
            proof.broken.append("the record was put aside as dead")
        proof.effects += once != before

    async def _would_do(self, record: Record) -> State:
        dying = DyingDatabase(self._db)
        try:
            dies = Batch(self._routes, dying, self._house.machine, self._decode, self._compared)
            await dies.handle([record])
        except Died:
            assert dying.last is not None
            return dying.last
        raise AssertionError("the handler's bug hides its effect; see the log")

    async def _look(self) -> State:
        async with self._db.read() as conn:
            return await state_of(conn, self._service)


PATIENCE = 15
"""After so many records of a type without an effect, it has none."""


@dataclass
class Proofs:
    """All proofs of a story; the first, and two more, of each type are proved."""

    most: int = 3
    of: defaultdict[Sample, Proof] = field(default_factory=lambda: defaultdict(Proof))

    def enough(self, sample: Sample) -> bool:
        """Whether this type was proved often enough; where none was meant for its reader, some more."""
        proof = self.of[sample]
        return proof.records >= (self.most if proof.effects else PATIENCE)


@asynccontextmanager
async def proving(house: House) -> AsyncIterator[Proofs]:
    """Let every consumer of a house prove what it handles."""
    proofs = Proofs()
    async with AsyncExitStack() as stack:
        for name, one in house.running.items():
            dsn = house.database.dsn(name)
            twin = await connect(dsn, service=name, clock=house.clock, machine=house.machine, size=POOL)
            stack.push_async_callback(twin.close)
            for member in one.members:
                loop = member.loop
                loop._batch = ProvingBatch(loop._batch, house, one.platform.db, twin, proofs)
        yield proofs


def _difference(expected: State, found: State) -> str:
    lines = [
        f"{table}: -{sorted(rows - found.tables[table])} +{sorted(found.tables[table] - rows)}"
        for table, rows in expected.tables.items()
        if rows != found.tables[table]
    ]
    if expected.announced != found.announced:
        lines.append(
            f"outbox: -{expected.announced - found.announced} +{found.announced - expected.announced}"
        )
    return "; ".join(lines)[:2000]
