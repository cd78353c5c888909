"""The books of all five services, and whether every sum of them is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.alerts.store.books import Books as AlertsBooks
from services.alerts.store.books import books as alerts_books
from services.collector.store.books import Books as CollectorBooks
from services.collector.store.books import books as collector_books
from services.dispatch.store.views import Books as DispatchBooks
from services.dispatch.store.views import books as dispatch_books
from services.scoring.store.books import Books as ScoringBooks
from services.scoring.store.books import books as scoring_books
from services.trigger.domain.books import Books as TriggerBooks
from services.trigger.store.ledger import books as trigger_books
from tests.support.house import House
from tests.support.rooms import SERVICES


@dataclass(frozen=True, slots=True)
class Books:
    """What was planned, asked, answered and cared for; `dead` counts dead letters by service."""

    trigger: TriggerBooks
    dispatch: DispatchBooks
    collector: CollectorBooks
    scoring: ScoringBooks
    alerts: AlertsBooks
    dead: Mapping[str, int]

    def assert_balanced(self) -> None:
        """Every promise that holds at any moment of rest."""
        assert self.trigger.balanced, self.trigger
        assert self.dispatch.balanced, self.dispatch
        assert self.dispatch.requested == self.trigger.asked, (self.dispatch, self.trigger)
        assert self.scoring.answered == self.collector.responses.get("counted", 0), (
            self.scoring,
            self.collector,
        )
        assert self.scoring.held == self.collector.responses.get("held", 0), (self.scoring, self.collector)
        asked = sum(self.alerts.messages.values()) - self.alerts.messages.get("withheld", 0)
        assert sum(self.dispatch.notes.values()) == asked, (self.dispatch, self.alerts)
        assert self.alerts.unhappy_without_ticket == 0, self.alerts
        assert self.alerts.held_in_tickets == 0, self.alerts
        assert self.alerts.overdue_untold == 0, self.alerts


async def read_books(house: House) -> Books:
    """Add everything up."""
    async with house.service("trigger").platform.db.read() as conn:
        trigger = await trigger_books(conn)
    async with house.service("dispatch").platform.db.read() as conn:
        dispatch = await dispatch_books(conn)
    async with house.service("collector").platform.db.read() as conn:
        collector = await collector_books(conn)
    async with house.service("scoring").platform.db.read() as conn:
        scoring = await scoring_books(conn)
    async with house.service("alerts").platform.db.read() as conn:
        alerts = await alerts_books(conn, house.clock.now())
    dead = {
        name: await house.admin.fetchval(f"select count(*) from {name}.dead_letters") for name in SERVICES
    }
    return Books(trigger, dispatch, collector, scoring, alerts, dead)


async def balanced(house: House) -> Books:
    """The books, once they were found right and without a dead letter."""
    books = await read_books(house)
    books.assert_balanced()
    assert not any(books.dead.values()), books.dead
    return books
