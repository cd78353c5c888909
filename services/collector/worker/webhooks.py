"""Calls endpoints that are due: claimed under a lease, called without a transaction, then recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from services.collector import metrics
from services.collector.channels.webhook import SECONDS, WebhookChannel
from services.collector.domain import webhooks as rules
from services.collector.domain.webhooks import Answer, Delivered, GiveUp, Next, Topic, TryAt
from services.collector.handlers.answering import Forms
from services.collector.handlers.telling import tell
from services.collector.handlers.webhooks import Secrets
from services.collector.store import webhooks as store
from services.collector.store.listing import load_versions
from services.collector.store.surveys import load_forms
from services.collector.store.webhooks import Attempt, Due
from shared.contracts.responses import Words
from shared.db.database import Connection, Database
from shared.runtime.clock import Machine
from shared.runtime.ids import random_id
from shared.security.sealing import Sealer
from shared.security.signatures import WebhookSecret, sign_standard

EACH, MOST = 10, 50
LEASE_SECONDS = 4 * SECONDS
FORGET = 5000

_STATES = {Topic.HELD: "held", Topic.WITHDRAWN: "withdrawn"}
_encode = msgspec.json.Encoder().encode


class Calling:
    """Makes due calls; safe to run in several processes."""

    def __init__(
        self, db: Database, sealer: Sealer, secrets: Secrets, channel: WebhookChannel, machine: Machine
    ) -> None:
        self._db = db
        self._sealer = sealer
        self._secrets = secrets
        self._channel = channel
        self._machine = machine
        self._forms = Forms()

    async def run(self) -> int:
        """One round; how many calls were made."""
        token = random_id()
        async with self._db.begin() as tx:
            due = await store.claim(tx.conn, tx.now, token, each=EACH, most=MOST, lease_seconds=LEASE_SECONDS)
            if not due:
                return 0
            bodies = await self._bodies(tx.conn, due)
        async with asyncio.TaskGroup() as calls:
            made = [calls.create_task(self._call(one, bodies[one.id])) for one in due]
        await self._record(token, due, [one.result() for one in made])
        return len(due)

    async def forget(self, kept: timedelta) -> int:
        """Remove what was over longer ago; how many calls."""
        async with self._db.begin() as tx:
            return await store.forget(tx.conn, tx.now - kept, FORGET)

    async def _bodies(self, conn: Connection, due: Sequence[Due]) -> dict[UUID, bytes]:
        """What is told, made anew from the stored answers; only what may still be read is in it."""
        wanted = [(one.survey_id, one.answer_version) for one in due if one.survey_id is not None]
        answers = await load_versions(conn, wanted)
        if missing := self._forms.missing({answer.questionnaire for answer in answers.values()}):
            self._forms.add(await load_forms(conn, missing))
        sealed = [(answer.contact_id, answer.words) for answer in answers.values()]
        opened = await self._sealer.open(conn, sealed, Words)
        told = {
            place: tell(answer, words.texts if words else {}, self._forms[answer.questionnaire])
            for (place, answer), words in zip(answers.items(), opened, strict=True)
        }
        return {one.id: _body(one, told) for one in due}

    async def _call(self, due: Due, body: bytes) -> tuple[Answer, int]:
        """One call and its milliseconds."""
        began, at = self._machine.monotonic(), self._machine.wall()
        message = rules.message_id(due.id)
        valid = self._secrets.valid(due.endpoint, self._db.clock.now())
        headers = sign_standard(message, at, body, *(WebhookSecret.standard(one) for one in valid))
        answer = await self._channel.post(due.endpoint.url, headers, body)
        return answer, round(1000 * (self._machine.monotonic() - began))

    async def _record(self, token: UUID, due: Sequence[Due], answers: Sequence[tuple[Answer, int]]) -> None:
        async with self._db.begin() as tx:
            attempts: list[Attempt] = []
            gone: list[UUID] = []
            for one, (answer, millis) in zip(due, answers, strict=True):
                attempt, is_gone = _attempt(one, answer, millis, tx.now)
                attempts.append(attempt)
                gone += [one.endpoint.id] if is_gone else []
            await store.record(tx.conn, token, attempts)
            if gone:
                await store.switch_off(tx.conn, gone, "it answered 410: it wants nothing any more")


def _body(due: Due, told: Mapping[tuple[UUID, int], dict[str, Any]]) -> bytes:
    data: dict[str, Any] = {}
    if due.survey_id is not None:
        state = _STATES.get(due.topic, "counted")
        data = told[due.survey_id, due.answer_version] | {"event": due.event, "state": state}
        data["changed_at"] = due.made_at.isoformat()
    return _encode({"type": due.topic.value, "timestamp": due.made_at.isoformat(), "data": data})


def _attempt(due: Due, answer: Answer, millis: int, now: datetime) -> tuple[Attempt, bool]:
    """What is recorded of a call, and whether its endpoint is to be switched off."""
    following = rules.after(answer, due.tries + 1, now)
    state, due_at, result = _outcome(following, now)
    metrics.WEBHOOK_CALLS.labels(result).inc()
    attempt = Attempt(due.id, due.attempts + 1, now, answer.status, answer.error, millis, state, due_at)
    return attempt, isinstance(following, GiveUp) and following.gone


def _outcome(following: Next, now: datetime) -> tuple[str, datetime, str]:
    """State of the delivery, when it is due again, and the metric's label."""
    match following:
        case Delivered():
            return "delivered", now, "delivered"
        case TryAt(at=at):
            return "pending", at, "again"
        case GiveUp():
            return "failed", now, "failed"
