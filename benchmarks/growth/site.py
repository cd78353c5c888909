"""The score page as a signed-in person sees it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from argon2 import PasswordHasher

from services.scoring.pages import pages
from services.scoring.pages.views import Thresholds
from shared.db.database import Database
from shared.runtime.clock import Clock, SystemMachine
from shared.runtime.ids import random_token
from shared.security.access import Access, Role
from shared.security.passwords import Passwords
from shared.security.people import NewUser, SignedIn
from shared.web.app import web_app


@asynccontextmanager
async def viewer(db: Database, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of somebody who may see scores."""
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    access = Access(db, clock, SystemMachine(), passwords=cheap, secure=False)
    email, password = f"{random_token(8)}@example.com", random_token()
    invitation = await access.invite(NewUser(email=email, name="Vera Viewer", role=Role.VIEWER))
    await access.set_up(invitation.token, password)
    session = await access.sign_in(email, password, None)
    if not isinstance(session, SignedIn):
        raise TypeError("nobody is signed in")
    app = web_app(access, "http://127.0.0.1")
    app.include_router(pages(db, clock, Thresholds(floor=0.2, target=0.5)))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        client.cookies.set("afterword", session.token)
        yield client


async def shown(client: httpx.AsyncClient) -> float:
    """Milliseconds until the page is there."""
    started = time.perf_counter()
    answer = await client.get("/scores", headers={"accept": "text/html"})
    took = time.perf_counter() - started
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(f"the page answers {answer.status_code}")
    return took * 1000
