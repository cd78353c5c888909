"""Endpoints that customers register: added, changed, tried, and told again what they missed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from services.collector.domain import webhooks as rules
from services.collector.domain.webhooks import RESPONSES, Topic
from services.collector.store import webhooks as store
from services.collector.store.webhooks import Endpoint
from shared.db.database import Database, Tx
from shared.runtime.ids import random_id
from shared.security.access_store import audit
from shared.security.sealing import Sealer

OVERLAP = timedelta(hours=24)
"""For how long after a rotation calls are signed with the old secret too."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Secrets:
    """Signing secrets: derived from the installation's own, so that none lies in a table."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def current(self, endpoint: Endpoint) -> str:
        """The secret of an endpoint."""
        return self._of(endpoint.id, endpoint.generation)

    def valid(self, endpoint: Endpoint, now: datetime) -> list[str]:
        """All secrets that calls are signed with now, the newest first."""
        overlaps = endpoint.rotated_at is not None and now < endpoint.rotated_at + OVERLAP
        generations = [endpoint.generation, *([endpoint.generation - 1] if overlaps else [])]
        return [self._of(endpoint.id, generation) for generation in generations]

    def _of(self, endpoint: UUID, generation: int) -> str:
        return rules.secret(self._sealer.blind("webhook", f"{endpoint} {generation}"))


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants an endpoint to be; None leaves a field as it is.

    Attributes:
        programmes: Keys; empty means all.
    """

    url: str | None = None
    topics: Sequence[Topic] | None = None
    programmes: Sequence[str] | None = None
    description: str | None = None
    active: bool | None = None


class Webhooks:
    """Manages endpoints; each change is in the audit log."""

    def __init__(self, db: Database, secrets: Secrets, *, private: bool = False) -> None:
        self._db = db
        self._secrets = secrets
        self._private = private

    def fault(self, url: str) -> str:
        """What is wrong with an address, or nothing; whether it is public shows when it is called."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            return str(error)
        if not host or parts.scheme not in {"https", "http"}:
            return "it is no web address"
        if parts.scheme == "http" and not self._private:
            return "only https is possible"
        return "it must not hold a user or a password" if parts.username or parts.password else ""

    async def add(self, wish: Wish, actor: str) -> tuple[Endpoint, str]:
        """A new endpoint and its secret."""
        async with self._db.begin() as tx:
            endpoint = Endpoint(
                id=random_id(), url=wish.url or "", topics=tuple(wish.topics or RESPONSES),
                programmes=tuple(wish.programmes or ()), description=wish.description or "",
                created_at=tx.now, created_by=actor,
            )  # fmt: skip
            await store.add(tx.conn, endpoint)
            await self._note(tx, actor, "webhook.added", endpoint)
        return endpoint, self._secrets.current(endpoint)

    async def every(self) -> list[tuple[Endpoint, dict[str, Any]]]:
        """All endpoints with how they fare."""
        async with self._db.read() as conn:
            return await store.load_all(conn)

    async def secret(self, endpoint: UUID) -> str | None:
        """The secret of one endpoint; None when there is none."""
        async with self._db.read() as conn:
            found = await store.load(conn, endpoint)
        return None if found is None else self._secrets.current(found)

    async def change(self, endpoint: UUID, wish: Wish, actor: str) -> Endpoint | None:
        """The endpoint as it is now; None when there is none."""
        async with self._db.begin() as tx:
            found = await store.load(tx.conn, endpoint)
            if found is None:
                return None
            changed = replace(
                found,
                url=found.url if wish.url is None else wish.url,
                topics=found.topics if wish.topics is None else tuple(wish.topics),
                programmes=found.programmes if wish.programmes is None else tuple(wish.programmes),
                description=found.description if wish.description is None else wish.description,
                active=found.active if wish.active is None else wish.active,
                off_because="" if wish.active else found.off_because,
            )
            await store.change(tx.conn, changed)
            await self._note(tx, actor, "webhook.changed", changed)
        return changed

    async def rotate(self, endpoint: UUID, actor: str) -> str | None:
        """A new secret; the old one signs too for a day."""
        async with self._db.begin() as tx:
            found = await store.load(tx.conn, endpoint)
            if found is None:
                return None
            rotated = replace(found, generation=found.generation + 1, rotated_at=tx.now)
            await store.change(tx.conn, rotated)
            await self._note(tx, actor, "webhook.rotated", rotated)
        return self._secrets.current(rotated)

    async def remove(self, endpoint: UUID, actor: str) -> bool:
        """Forget an endpoint and all it was told."""
        async with self._db.begin() as tx:
            found = await store.load(tx.conn, endpoint)
            if found is not None:
                await self._note(tx, actor, "webhook.removed", found)
            return await store.remove(tx.conn, endpoint)

    async def test(self, endpoint: UUID) -> UUID | None:
        """Queue a call that is about nothing; its id, or None when there is no such endpoint."""
        async with self._db.begin() as tx:
            if await store.load(tx.conn, endpoint) is None:
                return None
            delivery = random_id()
            await store.enqueue_test(tx.conn, endpoint, delivery, tx.now)
        return delivery

    async def deliveries(
        self, endpoint: UUID, state: str, after: tuple[datetime, UUID], limit: int
    ) -> list[dict[str, Any]]:
        """What an endpoint was told, with the log of attempts."""
        async with self._db.read() as conn:
            rows = await store.load_deliveries(conn, endpoint, state, after, limit)
        return [row | {"log": json.loads(row["log"])} for row in rows]

    async def replay(
        self, endpoint: UUID, actor: str, *, delivery: UUID | None = None, state: str = "",
        since: datetime = BEGINNING,
    ) -> int | None:  # fmt: skip
        """Tell again what is over; how many calls, or None when there is no such endpoint."""
        async with self._db.begin() as tx:
            found = await store.load(tx.conn, endpoint)
            if found is None:
                return None
            count = await store.replay(tx.conn, endpoint, delivery, state, since, tx.now)
            await self._note(tx, actor, "webhook.replayed", found, deliveries=count)
        return count

    async def _note(self, tx: Tx, actor: str, action: str, endpoint: Endpoint, **more: int) -> None:
        facts: Mapping[str, Any] = {"url": endpoint.url, "active": endpoint.active, **more}
        await audit(tx.conn, tx.now, actor, action, str(endpoint.id), **facts)
