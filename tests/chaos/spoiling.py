"""The real story, lived once a process, with all that an auditor looks at; each test spoils it anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from services.scoring.app import SETTLE_SECONDS
from shared.bus.memory import MemoryBus
from shared.bus.model import Outgoing, Record
from shared.db.database import Connection
from shared.embedded.postgres import PostgresAddress
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime.ids import random_id
from tests.chaos import journal
from tests.chaos.audit.examine import inspect
from tests.chaos.evidence import BrokerLog, Evidence, Report
from tests.chaos.journal import CANARY, Outcome, Planted, Produced
from tests.chaos.recorded import RecordingHouse, recorded
from tests.support.databases import SERVICES, TestDatabase, ensure_template
from tests.support.house import someone
from tests.support.rooms import topic_specs
from tests.support.story import BOLT, OWNER, live
from tests.support.townsfolk import answer, scan

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
"""A Tuesday morning."""
LEAVING = ("ivy", "leo")
CEDAR = {"id": "cedar", "name": "Cedar", "owner": OWNER}


@dataclass(frozen=True, slots=True)
class Scene:
    """A connection to the story's end, inside a transaction that is rolled back, with all other evidence."""

    conn: Connection
    evidence: Evidence

    async def audited(self, evidence: Evidence | None = None) -> Report:
        """What the auditor says."""
        return await inspect(self.conn, evidence or self.evidence)


async def lived(address: PostgresAddress, run_folder: Path, folder: Path) -> Evidence:
    """Live the story in a database of its own, which stays until the server ends."""
    template = await ensure_template(address, SERVICES, run_folder)
    database = TestDatabase(address, f"story_{random_id().hex[:12]}")
    admin = await asyncpg.connect(address.admin_dsn)
    try:
        await admin.execute(f'create database "{database.name}" template "{template}" strategy file_copy')
    finally:
        await admin.close()
    path = folder / "journal.ndjson"
    async with recorded(database, START, path) as house:
        await live(house)
        await _epilogue(house)
        evidence = Evidence(
            dsn=database.admin_dsn, mails=house.arrivals, log=_log(house), now=house.clock.now()
        )
    return replace(evidence, journal=journal.read(path))


async def _epilogue(house: RecordingHouse) -> None:
    """What the story leaves out: erasures, a dead address, a broken record, a scanned mail, an end."""
    book = house.book
    house.post.faults.rules.append(
        Fault("kim@*", FaultKind.REFUSE_RECIPIENT, reply="550 5.1.1 no such mailbox")
    )
    for name in ("hal", "ivy", "jon", "kim", "leo"):
        erasure = f"{name}-leaves" if name in LEAVING else ""
        book.noted(Planted(f"cedar-{name}", f"{CANARY}{name}", erasure))
        person = someone(name, "cedar") | {"name": f"{CANARY}{name}"}
        subject = {"kind": "order", "id": f"order-{name}"}
        await house.tell("order.delivered", id=f"to-{name}", contact=person, account=CEDAR, subject=subject)
    op = book.sent(Produced("scribble", "/crm", "", poison=True))
    (place,) = await house.bus.produce([Outgoing("afterword.touchpoints", b"cedar", b"{")])
    book.ended(op, Outcome.OK, partition=place.partition, offset=place.offset)
    await house.later(days=2)
    asked = {mail.to.partition("@")[0]: mail for mail in house.mails() if mail.scores}
    await scan(house, asked["hal"])
    await answer(house, asked["ivy"], 1, why_low=f"{CANARY}ivy is cross.")
    for name in LEAVING:
        await house.tell(
            "contact.deleted", id=f"{name}-leaves", contact={"id": f"cedar-{name}"}, account=CEDAR
        )
    await house.tell("contract.ended", id="bolt-ends", account=BOLT)
    await house.later(hours=2)
    await house.wait(SETTLE_SECONDS)  # from then on months that are over are closed


@asynccontextmanager
async def scene(conn: Connection, evidence: Evidence) -> AsyncIterator[Scene]:
    """The end of the story, to be spoiled."""
    transaction = conn.transaction()
    await transaction.start()
    try:
        yield Scene(conn, evidence)
    finally:
        await transaction.rollback()


def _log(house: RecordingHouse) -> BrokerLog:
    assert isinstance(house.bus, MemoryBus)
    records: list[Record] = []
    for spec in topic_specs():
        for number in range(spec.partitions):
            records += house.bus.records_from((spec.name, number), 0, 100_000)
    return BrokerLog(records)
