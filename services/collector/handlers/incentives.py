"""Incentives: what was promised and earned is listed, and what was given is recorded once (R55)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.collector import metrics
from services.collector.domain.incentives import Given, Outcome, Refusal, Same, record
from services.collector.domain.listing import HORIZON
from services.collector.domain.texts import written_in
from services.collector.handlers.answering import response_id
from services.collector.handlers.listing import END, START, Place
from services.collector.store import incentives as store
from services.collector.store.incentives import Counts, Filters, Incentive
from shared.contracts.responses import IncentiveChanged
from shared.db.database import Database, Tx
from shared.security.access_store import audit

EXPORT_PAGE = 500


@dataclass(frozen=True, slots=True)
class Page:
    """A page of incentives; `last` is None when there was none."""

    items: list[dict[str, Any]]
    last: Place | None


class Incentives:
    """Lists promises, and records what was given."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def page(self, wanted: Filters, after: Place, limit: int, *, follows: bool = False) -> Page:
        """The next incentives after one that was seen, by when they last changed.

        Args:
            wanted: Which.
            after: Where the page begins.
            limit: How many at most.
            follows: They come again for what has changed since: what changes just now waits until then.
        """
        async with self._db.read() as conn:
            now = self._db.clock.now()
            horizon = now - HORIZON if follows else END[0]
            found = await store.page(conn, wanted, horizon, after, limit, now)
        last = (found[-1].since, found[-1].survey_id) if found else None
        return Page([_told(one) for one in found], last)

    async def every(self, wanted: Filters) -> AsyncIterator[list[dict[str, Any]]]:
        """All of them, page after page; no transaction stays open between two."""
        after: Place | None = START
        while after is not None:
            page = await self.page(wanted, after, EXPORT_PAGE)
            if page.items:
                yield page.items
            after = page.last

    async def one(self, survey_id: UUID) -> dict[str, Any] | None:
        """One incentive; None where nothing was promised."""
        async with self._db.read() as conn:
            found = await store.one(conn, survey_id, self._db.clock.now())
        return _told(found) if found else None

    async def counts(self) -> list[Counts]:
        """Promises by programme and where they stand."""
        async with self._db.read() as conn:
            return await store.counts(conn, self._db.clock.now())

    async def refusals(self, before: Place, limit: int) -> list[dict[str, Any]]:
        """What could not be recorded as given, and why; the newest first."""
        async with self._db.read() as conn:
            return await store.refusals(conn, before, limit)

    async def record(self, survey_id: UUID, at: datetime | None, reference: str, by: str) -> Outcome:
        """Record that something was given for an answer; the same again changes nothing.

        Args:
            survey_id: Whose answer earned it.
            at: When it was given; None: now.
            reference: Its number in the system that gave it.
            by: Who tells, for the audit log.
        """
        async with self._db.begin() as tx:
            given = Given(at or tx.now, reference)
            outcome = record(await store.known(tx.conn, survey_id), given, tx.now)
            if outcome is Refusal.NOT_PROMISED and not await store.is_survey(tx.conn, survey_id):
                outcome = Refusal.UNKNOWN
            match outcome:
                case Given():
                    await store.record(tx.conn, survey_id, given, by, tx.now)
                    await audit(tx.conn, tx.now, by, "incentive.redeemed", str(survey_id))
                    await _say(tx, survey_id)
                case Refusal():
                    await store.refuse(tx.conn, survey_id, outcome, given, by, tx.now)
                case Same():
                    pass
        told = "recorded" if isinstance(outcome, Given) else outcome.value
        metrics.REDEMPTIONS.labels(told).inc()
        return outcome

    async def take_back(self, survey_id: UUID, by: str) -> bool:
        """Record that nothing was given after all; False when nothing was recorded."""
        async with self._db.begin() as tx:
            done = await store.take_back(tx.conn, survey_id, tx.now)
            if done:
                await audit(tx.conn, tx.now, by, "incentive.taken_back", str(survey_id))
                await _say(tx, survey_id)
        if done:
            metrics.REDEMPTIONS.labels("taken_back").inc()
        return done


async def _say(tx: Tx, survey_id: UUID) -> None:
    found = await store.one(tx.conn, survey_id, tx.now)
    assert found is not None  # noqa: S101 - it was just changed, and rows are never deleted
    event = IncentiveChanged(
        response_id=str(response_id(survey_id)),
        survey_id=str(survey_id),
        version=found.version,
        snapshot=found.snapshot,
        at=tx.now,
        redeemed_at=found.redeemed_at,
        reference=found.reference,
    )
    tx.emit(event, identity=f"incentive/{survey_id}/{found.version}", key=event.snapshot.key)


def _told(one: Incentive) -> dict[str, Any]:
    """An incentive as lists and files tell it; of somebody who was erased without the person."""
    known = one.snapshot
    return {
        "survey_id": str(one.survey_id),
        "response_id": str(response_id(one.survey_id)),
        "state": one.state.value,
        "since": one.since,
        "programme": known.programme,
        "contact_id": None if one.erased else known.contact_id,
        "account_id": known.account_id,
        "account_name": known.account_name,
        "locale": known.locale,
        "promise": written_in(one.promise, known.locale.split("-")[0].lower()),
        "closes_at": one.closes_at,
        "redeemed_at": one.redeemed_at,
        "reference": one.reference,
        "recorded_by": one.recorded_by,
    }
