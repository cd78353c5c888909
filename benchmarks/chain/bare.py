"""The bare chain: HTTP, PostgreSQL, Kafka, PostgreSQL, Kafka, PostgreSQL, and a word to the room.

An insert and a message at each step, without checks, inbox, outbox, judgement, ticket or sealing.
It asks the broker for records as often as the services do.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import uvicorn
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.bus.kafka_consumer import FETCH_WAIT_MS

FIRST, SECOND = "bare.answers", "bare.tickets"
Step = Callable[[bytes], Awaitable[None]]


async def main() -> None:
    """Serve until killed."""
    bootstrap, room = os.environ["BOOTSTRAP"], os.environ["ROOM"]
    pool = await asyncpg.create_pool(os.environ["DSN"], min_size=4, max_size=10)
    for table in ("answers", "tickets", "notices"):
        await pool.execute(f"create table bare_{table} (id bigint generated always as identity, body text)")
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    client = httpx.AsyncClient()

    async def post(request: Request) -> JSONResponse:
        body = await request.body()
        await _insert(pool, "answers", body)
        await producer.send_and_wait(FIRST, body)
        return JSONResponse({"ok": True}, 201)

    async def open_ticket(body: bytes) -> None:
        await _insert(pool, "tickets", body)
        await producer.send_and_wait(SECOND, body)

    async def tell(body: bytes) -> None:
        await _insert(pool, "notices", body)
        await client.post(room, content=json.dumps({"text": f"Customer-{json.loads(body)['number']}-"}))

    app = Starlette(routes=[Route("/v1/responses", post, methods=["POST"])])
    config = uvicorn.Config(app, port=int(os.environ["PORT"]), log_config=None, access_log=False)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_consume(bootstrap, FIRST, open_ticket))
        tasks.create_task(_consume(bootstrap, SECOND, tell))
        tasks.create_task(uvicorn.Server(config).serve())


async def _insert(pool: asyncpg.Pool[Any], table: str, body: bytes) -> None:
    await pool.execute(f"insert into bare_{table} (body) values ($1)", body.decode())  # noqa: S608 - ours


async def _consume(bootstrap: str, topic: str, step: Step) -> None:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"bare-{topic}",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    await consumer.start()
    async for record in consumer:
        await step(record.value or b"")


if __name__ == "__main__":
    uvloop.run(main())
