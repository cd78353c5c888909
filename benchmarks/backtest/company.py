"""A made-up company's year as NDJSON: the same events for the same seed, in order of time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson

BEGINS = datetime(2025, 1, 6, tzinfo=UTC)
DAYS = 365
ZONES = (
    "Europe/Stockholm", "Europe/Berlin", "Europe/Madrid", "Europe/London", "America/New_York",
    "America/Chicago", "Asia/Singapore", "",
)  # fmt: skip
REGIONS = ("SE", "DE-BY", "ES-CT", "GB", "US-NY", "US-IL", "SG", "emea")
PRODUCTS = ("Ledger", "Route", "Vault")
KINDS = {
    "product.used": 560, "support_ticket.opened": 80, "transaction.completed": 80, "contact.updated": 60,
    "order.delivered": 50, "feature.first_used": 35, "purchase.completed": 25, "invoice.overdue": 15,
    "incident.opened": 8, "project.started": 7,
}  # fmt: skip
"""What happens, and in which proportion: people use the product far more often than they call."""

FOLLOWED = 0.89
"""Share of events that happen by themselves; the others follow from them, or are an account's own."""

Told = tuple[datetime, int, str, dict[str, Any]]
"""When, a number that makes the order certain, the type, the data."""


@dataclass(frozen=True, slots=True)
class Size:
    """How big a history is."""

    people: int
    events: int
    days: int = DAYS


@dataclass(frozen=True, slots=True)
class Someone:
    """A person and their company, in full and by their ids alone."""

    person: dict[str, Any]
    account: dict[str, Any]
    number: int

    @property
    def thin(self) -> dict[str, Any]:
        """What most systems tell of somebody."""
        return {"contact": {"id": self.person["id"]}, "account": {"id": self.account["id"]}}

    def full(self, role: str = "") -> dict[str, Any]:
        """What CRM and helpdesk tell."""
        return {"contact": {**self.person, "role": role}, "account": self.account}


def _about(kind: str, number: int) -> dict[str, Any]:
    return {"subject": {"kind": kind, "id": f"{kind}-{number}"}}


def _used(who: Someone, _: int) -> dict[str, Any]:
    return {**who.thin, "product": PRODUCTS[who.number % len(PRODUCTS)]}


TELLS: dict[str, Callable[[Someone, int], dict[str, Any]]] = {
    "product.used": _used,
    "feature.first_used": _used,
    "support_ticket.opened": lambda who, n: {**who.full("requester"), **_about("ticket", n)},
    "order.delivered": lambda who, n: {
        **who.full("receiver"), **_about("order", n), "context": {"carrier": "DHL"},
    },
    "project.started": lambda who, n: {**who.full("main_contact"), **_about("project", n)},
    "incident.opened": lambda who, n: {"account": {"id": who.account["id"]}, **_about("incident", n)},
    "invoice.overdue": lambda who, n: {**who.thin, **_about("invoice", n)},
}  # fmt: skip
"""What each kind tells; the others tell everything about a thing of their own."""

FOLLOWS = {
    "support_ticket.opened": ("support_ticket.resolved", 1.0, 70),
    "support_ticket.resolved": ("support_ticket.reopened", 0.07, 60),
    "support_ticket.reopened": ("support_ticket.resolved", 1.0, 40),
    "incident.opened": ("incident.resolved", 1.0, 18),
    "invoice.overdue": ("invoice.paid", 1.0, 280),
    "project.started": ("project.completed", 1.0, 2100),
}
"""What follows from what, how likely, and within how many hours."""


@dataclass(slots=True)
class Company:
    """Accounts of very different sizes, with people who do things in office hours."""

    size: Size
    seed: str = "afterword"
    _people: list[Someone] = field(default_factory=list)
    _accounts: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _chance: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        """Found the accounts, until there are people enough."""
        self._chance.seed(self.seed)
        while len(self._people) < self.size.people:
            self._found()

    def events(self) -> Iterator[Told]:
        """All of them, in order of time, until there are as many as wanted."""
        later: list[Told] = []
        left = self.size.events
        for told in heapq.merge(self._standing(), self._daily()):
            while later and later[0] < told and left:
                left -= 1
                yield heapq.heappop(later)
            if not left:
                return
            left -= 1
            yield told
            self._follow(told, later)

    def _found(self) -> None:
        number, chance = len(self._accounts), self._chance
        place = chance.randrange(len(ZONES))
        account = {
            "id": f"A-{number}", "name": f"Customer {number}", "industry": "logistics",
            "tier": chance.choices(("small", "key", "premium"), (70, 20, 10))[0],
            "owner": f"owner{number % 40}@vendor.example", "region": REGIONS[place],
        }  # fmt: skip
        self._accounts.append(account)
        for seat in range(min(1 + int(chance.paretovariate(0.9)), 250)):
            mine = len(self._people)
            person = {
                "id": f"C-{mine}", "name": f"Person {mine}", "email": f"p.{mine}@customer{number}.example",
                "zone": ZONES[place], "locale": ("sv", "en", "es")[place % 3],
                "persona": "user" if seat % 5 else "decision_maker",
                "job_function": ("management", "operations", "finance", "engineering")[seat % 4],
            }  # fmt: skip
            self._people.append(Someone(person, account, mine))

    def _standing(self) -> Iterator[Told]:
        """What each account's year holds: it is known at the start or signs up later, and most renew."""
        found: list[Told] = []
        chance = self._chance
        for account in self._accounts:
            joins = chance.random() < 0.15
            at = self._moment(chance.randrange(self.size.days)) if joins else BEGINS
            started = at if joins else BEGINS - timedelta(days=chance.randrange(20, 900))
            kind = "customer.signed_up" if joins else "account.updated"
            told: dict[str, Any] = {"account": {**account, "started_on": started.date().isoformat()}}
            found.append((at, next(self._numbers), kind, told))
            renewal = at + timedelta(days=chance.randrange(60, 500))
            contract = {"kind": "contract", "id": f"contract-{account['id']}"}
            told = {"account": account, "subject": contract, "renewal_on": renewal.date().isoformat()}
            found.append((at + timedelta(days=20), next(self._numbers), "contract.renewal_date_set", told))
        for day in range(9, self.size.days, 28):
            product = PRODUCTS[day % len(PRODUCTS)]
            told = {"product": product, "subject": {"kind": "release", "id": f"{product}-{day}"}}
            found.append((self._moment(day), next(self._numbers), "feature.released", told))
        return iter(sorted(found, key=lambda one: one[:2]))

    def _daily(self) -> Iterator[Told]:
        chance = self._chance
        own = len(self._accounts) * 2
        a_day = max(int((self.size.events - own) / self.size.days * FOLLOWED), 1)
        for day in range(self.size.days):
            moments = sorted(self._moment(day) for _ in range(a_day))
            kinds = chance.choices(list(KINDS), list(KINDS.values()), k=len(moments))
            for at, kind in zip(moments, kinds, strict=True):
                number, who = next(self._numbers), chance.choice(self._people)
                tell = TELLS.get(kind)
                data = tell(who, number) if tell else {**who.full(), **_about("thing", number)}
                yield at, number, kind, data

    def _follow(self, told: Told, later: list[Told]) -> None:
        at, _, kind, data = told
        if kind not in FOLLOWS:
            return
        after, likely, hours = FOLLOWS[kind]
        if self._chance.random() < likely:
            then = at + timedelta(hours=1 + self._chance.random() * hours)
            heapq.heappush(later, (then, next(self._numbers), after, data))

    def _moment(self, day: int) -> datetime:
        """A moment in office hours."""
        return BEGINS + timedelta(days=day, seconds=6 * 3600 + self._chance.randrange(11 * 3600))


def write(path: Path, size: Size) -> int:
    """Write a history; returns how many events it has."""
    written = 0
    with path.open("wb") as sink:
        for at, number, kind, data in Company(size).events():
            written += 1
            stamp = at.isoformat()
            event = {
                "specversion": "1.0", "id": f"e{number}", "source": "/vendor/backend", "type": kind,
                "time": stamp, "data": {"occurred_at": stamp, **data},
            }  # fmt: skip
            sink.write(orjson.dumps(event) + b"\n")
    return written
