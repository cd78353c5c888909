"""Two deployments of scoring: one with ten thousand answers, one with ten million, over years.

Two days are taken in by the service itself; the database repeats them for as many days as there shall be, so
that facts and cells agree; the inbox has those days that housekeeping leaves in it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import asyncpg

from benchmarks.cluster import Cluster
from benchmarks.scoring.load import answers
from services.scoring.handlers import SUBSCRIPTIONS
from services.scoring.worker.headlines import closing
from shared.bus.model import Outgoing, Record
from shared.db.database import Database
from shared.runtime.clock import FixedClock, SystemMachine
from shared.runtime.consumer import Batch
from shared.runtime.housekeeping import INBOX_KEPT

BATCH = 500
_DAYS = 2
_FACTS = """
insert into answer_facts (response_id, survey_id, version, state, family, day, cohort, nps, nps5, csat, ces,
    answered_at, contact_id, account_id, programme, persona, answer, snapshot)
select md5(response_id::text || n)::uuid, md5(survey_id::text || n)::uuid, version, state, family,
    day - $3 * n, cohort - $3 * n, nps, nps5, csat, ces, answered_at - n * $3 * interval '1 day',
    md5(contact_id::text || n)::uuid, account_id, programme, persona, answer, snapshot
from answer_facts cross join generate_series($1::int, $2::int) n where day > $4
"""
_INBOX = """
insert into inbox (source, event_id, outcome, seen_at)
select source, md5(event_id || n), outcome, seen_at - n * $3 * interval '1 day'
from inbox cross join generate_series($1::int, $2::int) n where length(event_id) = 36
"""
_CELLS = """
insert into score_cells
select metric, family, rollup, value, day - $3 * n, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10
from score_cells cross join generate_series($1::int, $2::int) n where day > $4
"""
_RATES = """
insert into rate_cells select family, rollup, value, day - $3 * n, requested, handed_over, answered, held
from rate_cells cross join generate_series($1::int, $2::int) n where day > $4
"""


@dataclass(frozen=True, slots=True)
class History:
    """How many answers came in over how many days.

    Attributes:
        name: of its database.
        answers: how many.
        days: over which they are spread.
        anew: whether each run fills it again: one so small that what rounds add to it would tell.
    """

    name: str
    answers: int
    days: int
    anew: bool = False

    @property
    def copies(self) -> int:
        """How often the two days are repeated."""
        return self.days // _DAYS


Source = Callable[[int, int], Iterable[Outgoing]]
"""So many answers of two days, drawn from a seed."""

Surround = Callable[[Database], Awaitable[None]]
"""Fills in what lies around the answers."""


def batches(count: int, seed: int, source: Source = answers) -> Iterator[list[Record]]:
    """Answers of the last two days as the consumer fetches them."""
    numbered = enumerate(source(count, seed))
    while chunk := list(islice(numbered, BATCH)):
        yield [_record(number, outgoing) for number, outgoing in chunk]


def batch_of(db: Database) -> Batch:
    """The service's own way of taking answers in."""
    return Batch(SUBSCRIPTIONS[0].routes, db, SystemMachine())


async def prepare(
    server: Cluster,
    history: History,
    clock: FixedClock,
    source: Source = answers,
    surround: Surround | None = None,
) -> None:
    """Find the database as an earlier run left it, or fill it."""
    if history.anew or not await server.holds(history.name, "scoring"):
        await _fill(server, history, clock, source, surround)
    await server.warm(history.name, "scoring", kinds=("i",))


async def _fill(
    server: Cluster, history: History, clock: FixedClock, source: Source, surround: Surround | None
) -> None:
    started = time.perf_counter()
    print(f"filling {history.name}: {history.answers:,} answers over {history.days} days", flush=True)
    await server.fresh(history.name, "scoring")
    db = await server.database(history.name, "scoring", clock)
    batch = batch_of(db)
    for records in batches(history.answers // history.copies, 7, source):
        await batch.handle(records)
    async with server.admin(history.name) as conn:
        await _repeat(conn, history.copies)
    if surround:
        await surround(db)
    while await closing(db)():
        pass
    async with server.admin(history.name) as conn:
        await conn.execute("set search_path to scoring")
        await conn.execute("vacuum analyze score_months, rate_months", timeout=600)
    await db.close()
    await server.keep(history.name, "scoring")
    print(f"  filled in {time.perf_counter() - started:.0f} s", flush=True)


async def _repeat(conn: asyncpg.Connection[Any], copies: int) -> None:
    await conn.execute("set search_path to scoring")
    await conn.execute("truncate outbox")
    keys = await _without_keys(conn, ("answer_facts", "inbox"))
    before = await conn.fetchval("select min(day) - 1 from score_cells")
    step = max(1, copies // 20)
    for first in range(1, copies, step):
        last = min(copies - 1, first + step - 1)
        await conn.execute(_FACTS, first, last, _DAYS, before, timeout=3600)
    kept = min(copies, INBOX_KEPT.days // _DAYS)
    await conn.execute(_INBOX, 1, kept - 1, _DAYS, timeout=3600)
    for statement in (_CELLS, _RATES):
        await conn.execute(statement, 1, copies - 1, _DAYS, before, timeout=3600)
    for statement in keys:
        await conn.execute(statement, timeout=3600)
    await conn.execute("vacuum analyze", timeout=3600)
    await conn.execute("checkpoint", timeout=600)


async def _without_keys(conn: asyncpg.Connection[Any], tables: Sequence[str]) -> list[str]:
    """Drop primary keys and indexes while much is written; returns what makes them again."""
    again: list[str] = []
    for table in tables:
        for row in await conn.fetch(
            "select conname, pg_get_constraintdef(oid) as text from pg_constraint "
            "where conrelid = $1::regclass and contype = 'p'",
            table,
        ):
            again.append(f"alter table {table} add constraint {row['conname']} {row['text']}")
            await conn.execute(f"alter table {table} drop constraint {row['conname']}")
        for row in await conn.fetch(
            "select indexname, indexdef from pg_indexes where schemaname = 'scoring' and tablename = $1",
            table,
        ):
            again.append(row["indexdef"])
            await conn.execute(f"drop index {row['indexname']}")
    return again


def _record(number: int, outgoing: Outgoing) -> Record:
    return Record(
        topic=outgoing.topic, partition=0, offset=number, timestamp_ms=0, key=outgoing.key,
        value=outgoing.value, headers=outgoing.headers,
    )  # fmt: skip
