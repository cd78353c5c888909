"""pgqueuer running jobs that are due.

HANDLER=nothing: they only are handed over. HANDLER=ask: each does the least of what we do: it reads its
person and writes what is asked, a line of the ledger and a row to be published, in one transaction.
"""

import asyncio
import os
import time
from datetime import timedelta

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

DSN, JOBS = os.environ["DSN"], int(os.environ["EVENTS"])
HANDLER = os.environ.get("HANDLER", "nothing")
CHUNK = 1000
_TABLES = """
create table people (id int primary key, sealed text not null);
create table asks (id bigint generated always as identity primary key, person int, body text not null);
create index on asks (person);
create table ledger (id bigint generated always as identity primary key, person int, why text not null);
create table outbox (id bigint generated always as identity primary key, body text not null,
    sent boolean not null default false);
create index on outbox (id) where not sent;
"""
_BODY = "s" * 3500
"""As long as our event."""


async def fill() -> None:
    """A fresh queue with jobs that are due."""
    conn = await asyncpg.connect(DSN)
    await conn.execute(_TABLES)
    await conn.execute("insert into people select n, repeat('s', 140) from generate_series(0, $1) n", JOBS)
    queries = Queries(AsyncpgDriver(conn))
    await queries.install()
    for first in range(0, JOBS, CHUNK):
        payloads: list[bytes | None] = [str(number).encode() for number in range(first, first + CHUNK)]
        await queries.enqueue(["ask"] * CHUNK, payloads, [0] * CHUNK, [timedelta(0)] * CHUNK)
    await conn.close()


async def least(pool: "asyncpg.Pool[asyncpg.Record]", person: int) -> None:
    """The least of what a plan that passes the gate needs."""
    async with pool.acquire() as conn, conn.transaction():
        await conn.fetchrow("select sealed from people where id = $1 for update", person)
        await conn.fetch("select id from asks where person = $1", person)
        await conn.execute("insert into asks (person, body) values ($1, $2)", person, _BODY)
        await conn.execute("insert into ledger (person, why) values ($1, 'requested')", person)
        await conn.execute("insert into outbox (body) values ($1)", _BODY)


async def main() -> None:
    """Run them all; says jobs a second and microseconds of this process's CPU per job."""
    await fill()
    pool = await asyncpg.create_pool(DSN, min_size=10, max_size=10)
    queue = PgQueuer(AsyncpgPoolDriver(pool))
    seen, started, cpu = 0, 0.0, 0.0

    @queue.entrypoint("ask")  # type: ignore[untyped-decorator] # not installed where types are checked
    async def ask(job: Job) -> None:
        nonlocal seen, started, cpu
        if HANDLER == "ask" and job.payload:
            await least(pool, int(job.payload))
        seen += 1
        if seen == 1:
            started, cpu = time.perf_counter(), time.process_time()
        if seen == JOBS:
            seconds, used = time.perf_counter() - started, time.process_time() - cpu
            print(f"RESULT {JOBS / seconds:.1f} {used / JOBS * 1e6:.1f}", flush=True)
            queue.shutdown.set()

    batch = int(os.environ.get("BATCH", "100"))
    await asyncio.wait_for(queue.run(batch_size=batch, dequeue_timeout=timedelta(seconds=1)), 300)
    await pool.close()


uvloop.run(main())
