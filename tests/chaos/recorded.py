"""A house whose outside world keeps a journal: backends, readers and reps write down what they do.

The journal is written where requests leave and answers come back, so it holds only what the outside can know.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import asyncpg
import httpx
from typing_extensions import override

from shared.embedded.smtp import Envelope
from shared.runtime.clock import FixedClock, Machine
from shared.security.keyring import KeyRing
from shared.security.tokens import Tokens
from tests.chaos.evidence import Arrival
from tests.chaos.journal import (
    Acted,
    Actor,
    Answered,
    Deed,
    Fetched,
    Journal,
    Outcome,
    Posted,
    Produced,
    Stopped,
)
from tests.support.databases import TestDatabase
from tests.support.house import House, RisingLog
from tests.support.logs import Log
from tests.support.postbox import Postbox
from tests.support.standing import StandingMachine
from tests.support.townsfolk import CLOUD

REPS = "192.0.2.10"
_TOKENS = Tokens(KeyRing(1, {1: b"t" * 32}))


@dataclass
class RecordingPostbox(Postbox):
    """Keeps what arrived as it arrived."""

    machine: Machine | None = None
    arrivals: list[Arrival] = field(default_factory=list)

    @override
    async def _keep(self, envelope: Envelope) -> None:
        await super()._keep(envelope)
        assert self.machine is not None
        self.arrivals.append(
            Arrival(
                self.mails[-1].message_id,
                envelope.recipients,
                self.machine.wall(),
                content=envelope.content,
            )
        )


@dataclass
class RecordingHouse(House):
    """The five services, with an outside world that remembers."""

    journal: Journal | None = None

    @property
    def book(self) -> Journal:
        """Where it writes."""
        assert self.journal is not None
        return self.journal

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        """Mails as they arrived."""
        assert isinstance(self.post, RecordingPostbox)
        return tuple(self.post.arrivals)

    @override
    async def tell(self, kind: str, *, id: str = "", by: str = "/crm", **data: Any) -> str:
        named = id or f"e{self.told + 1}"
        op = self.book.sent(Produced(named, by, kind))
        await super().tell(kind, id=named, by=by, **data)
        self.book.ended(op, Outcome.OK)
        return named

    @override
    async def call_webhook(self, kind: str, *, id: str, **data: Any) -> httpx.Response:
        op = self.book.sent(Posted(id, "/webhooks/generic", kind))
        answer = await super().call_webhook(kind, id=id, **data)
        self.book.ended(op, Outcome.OK if answer.is_success else Outcome.FAIL, status=answer.status_code)
        return answer

    @override
    def browser(self, address: str = "192.0.2.1", **headers: str) -> httpx.AsyncClient:
        client = super().browser(address, **headers)
        by = {CLOUD: Actor.MACHINE, REPS: Actor.REP}.get(address, Actor.PERSON)

        async def sent(request: httpx.Request) -> None:
            deed = _deed(by, request)
            if deed is not None:
                request.extensions["op"] = self.book.sent(deed)

        async def ended(response: httpx.Response) -> None:
            if (op := response.request.extensions.get("op")) is not None:
                self.book.ended(op, _outcome(response), status=response.status_code)

        client.event_hooks = {"request": [sent], "response": [ended]}
        return client


def _deed(by: Actor, request: httpx.Request) -> Deed | None:
    """What a request does, read off the request alone."""
    kind, _, rest = request.url.path.lstrip("/").partition("/")
    token, _, action = rest.partition("/")
    posted = request.method == "POST"
    typed = {name: values[0] for name, values in parse_qs(request.content.decode()).items()} if posted else {}
    if kind == "s" and (survey := _TOKENS.verify("answer", token)):
        if posted and not action and (score := _score(typed)) is not None:
            return Answered(by, str(survey.subject), "", score)
        return Fetched(by, request.method, str(survey.subject))
    if kind == "u" and (contact := _TOKENS.verify("unsubscribe", token)):
        if posted and ("scope" in typed or "List-Unsubscribe" in typed):
            return Stopped(by, str(contact.subject), one_click="scope" not in typed)
        return Fetched(by, request.method, str(contact.subject), link="stop")
    if kind == "tickets" and posted and action:
        return Acted(str(UUID(token)), action)
    return None


def _score(typed: dict[str, str]) -> int | None:
    return next((int(text) for name, text in typed.items() if name.startswith("q.") and text.isdigit()), None)


def _outcome(response: httpx.Response) -> Outcome:
    if response.is_success or response.status_code == httpx.codes.SEE_OTHER:
        return Outcome.OK
    return Outcome.UNKNOWN if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY else Outcome.FAIL


@asynccontextmanager
async def recorded(
    database: TestDatabase, start: datetime, path: Path, log: Log | None = None
) -> AsyncIterator[RecordingHouse]:
    """A recording house on a fresh database, its programmes published."""
    admin = await asyncpg.connect(database.admin_dsn)
    try:
        machine, clock = StandingMachine(start), FixedClock(start)
        await machine.stand(admin)
        with Journal(path, "story", clock, machine) as journal:
            post = RecordingPostbox(machine=machine)
            house = RecordingHouse(
                database, admin, log or RisingLog(), clock, machine, post=post, journal=journal
            )
            await post.open()
            try:
                await house.survive(house.start)
                await house.settle()
                yield house
            finally:
                await house.close()
    finally:
        await admin.close()
