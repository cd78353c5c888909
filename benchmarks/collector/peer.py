"""What most would write first: FastAPI, a pydantic body, one INSERT. Checks no token, seals nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field

from benchmarks.collector.ours import run

POOL = 10


class Answers(BaseModel):
    """What is asked."""

    nps: int = Field(ge=0, le=10)
    why: str = Field(default="", max_length=4000)


class Answer(BaseModel):
    """The same body as ours."""

    token: str = Field(max_length=120)
    answers: Answers


async def serve(dsn: str, port: int) -> None:
    """Serve until told to stop."""
    pools: list[asyncpg.Pool[asyncpg.Record]] = []

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, min_size=POOL, max_size=POOL) as pool:
            pools.append(pool)
            yield

    app = FastAPI(lifespan=life)

    @app.post("/v1/responses", status_code=201)
    async def post(answer: Answer) -> dict[str, bool]:
        async with pools[0].acquire() as conn:
            await conn.execute(
                "insert into public.plain_answers (token, score, why) values ($1, $2, $3)",
                answer.token,
                answer.answers.nps,
                answer.answers.why,
            )
        return {"ok": True}

    config = uvicorn.Config(app, host="127.0.0.1", port=port, access_log=False, log_config=None)
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    run(serve)
