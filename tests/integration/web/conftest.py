"""The web application on a real database, with routes of every kind."""

from typing import Annotated, Any

import asyncpg
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel

from shared.db.database import Database
from shared.errors import Unavailable
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.access import Access, Principal, User, require_role, require_scope
from shared.web.app import web_app
from shared.web.errors import ENVIRONMENT
from shared.web.problems import Problem
from shared.web.templates import page
from tests.support.visitors import BASE, Visitor, cheap_passwords


class Order(BaseModel):
    """A body with something to get wrong."""

    email: str
    amount: int


@pytest.fixture
def access(access_db: Database, clock: FixedClock, machine: FakeMachine) -> Access:
    return Access(access_db, clock, machine, passwords=cheap_passwords(), secure=False)


@pytest.fixture
def app(access: Access) -> FastAPI:
    application = web_app(access, BASE)
    _add_routes(application)
    return application


@pytest.fixture
def visitor(app: FastAPI) -> Visitor:
    return Visitor.of(app)


def _add_routes(app: FastAPI) -> None:
    @app.get("/desk")
    async def desk(request: Request, _me: Annotated[User, Depends(require_role("rep"))]) -> Response:
        return page(request, ENVIRONMENT, "base.html", {})

    @app.post("/desk")
    async def act(me: Annotated[User, Depends(require_role("rep"))]) -> dict[str, str]:
        return {"who": me.email}

    @app.get("/v1/scores")
    async def scores(who: Annotated[Principal, Depends(require_scope("scores:read"))]) -> dict[str, str]:
        return {"who": who.name}

    @app.post("/v1/brake")
    async def brake(who: Annotated[Principal, Depends(require_scope("brake:write"))]) -> dict[str, str]:
        return {"who": who.actor.partition(":")[0]}

    @app.post("/v1/orders")
    async def order(order: Order) -> dict[str, Any]:
        return order.model_dump()

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("ana@example.com")

    @app.get("/away")
    async def away() -> None:
        raise Unavailable("database: ConnectionRefusedError")

    @app.get("/torn")
    async def torn() -> None:
        raise asyncpg.ConnectionDoesNotExistError("closed in the middle of operation")

    @app.get("/wrong-statement")
    async def wrong_statement() -> None:
        raise asyncpg.UndefinedTableError("ana@example.com")

    @app.get("/zero")
    async def zero() -> None:
        raise asyncpg.CharacterNotInRepertoireError('invalid byte sequence for encoding "UTF8": 0x00')

    @app.get("/busy")
    async def busy() -> None:
        raise Problem(429, "Too many answers.", what_to_do="Wait a minute.", retry_after=60)
