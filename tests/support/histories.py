"""Seeded histories of a few customers in which everything happens that a programme can care about."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random as Chance  # noqa: TID251 - seeded: the same story every time
from typing import Any

import yaml

from shared.contracts.touchpoints import Touchpoint
from tests.unit.trigger.support import definition

BEGINS = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAYS = 150
ZONES = ("Europe/Stockholm", "America/New_York", "Asia/Tokyo", "", "Europe/Stockholm", "Europe/Madrid")
WINDOW = {"days": ["tue", "wed", "thu"], "hours": "09:30-16:00"}
BUDGET = {"contact": "14d", "account": {"max": 3, "per": "30d"}}
HOLDS = (
    *("incident.opened", "incident.resolved", "invoice.overdue", "invoice.paid"),
    *("audit.started", "audit.passed"),
)
AUDIT = {"name": "audit", "from": ["audit.started"], "until": ["audit.passed"]}
Told = tuple[datetime, str, str, dict[str, Any]]
"""When, id, type and data of an event."""

PROGRAMMES: Sequence[dict[str, Any]] = (
    {"key": "delivery", "send__window": WINDOW, "quarantine": BUDGET,
     "when__hold_while": ["incident", "detractor_ticket"]},
    {"key": "support", "priority": 55, "quarantine": BUDGET,
     "audience": {"sample": 0.6, "role": ["requester"]},
     "send__reminders": [{"after": "3d"}, {"after": "8d"}],
     "when": {"touchpoint": "support_ticket.resolved", "per": "ticket", "delay": "1d",
              "cancel_on": ["support_ticket.reopened"], "fresh_for": "20d"}},
    {"key": "purchase", "priority": 90, "quarantine": {"contact": "20d"},
     "when": {"touchpoint": "purchase.completed", "per": "contact", "delay": "6d", "fresh_for": "25d",
              "cancel_on": ["account.churned"], "hold_while": ["dunning", AUDIT]}},
    {"key": "third-payment", "audience": {"persona": ["decision_maker"]}, "quarantine": BUDGET,
     "when": {"touchpoint": "transaction.completed", "per": "account", "nth": 3, "delay": "2h",
              "where": {"amount": {"gte": 10}}, "fresh_for": "9d"}},
    {"key": "pulse", "family": "relationship", "priority": 60, "send__window": {**WINDOW, "learn": True},
     "quarantine": {"contact": "12d", "family": "20d", "account": {"max": 4, "per": "30d"}},
     "audience": {"who": "account", "max_per_account": 2, "coverage": {"decision_maker": 1}},
     "when": {"every": "1mo", "anchor": "account.start", "until": ["account.churned"], "per": "account",
              "fresh_for": "15d"}},
    {"key": "progress", "family": "progress", "priority": 70, "quarantine": {"contact": "7d"},
     "audience": {"who": "project", "role": ["main_contact"]},
     "when": {"every": "1mo", "anchor": "project.started", "until": ["project.completed"], "per": "project",
              "fresh_for": "10d"}},
    {"key": "renewal", "priority": 95, "audience": {"who": "account", "persona": ["decision_maker"]},
     "quarantine": {"contact": "10d"},
     "when": {"before": "contract.renewal_date", "by": "30d", "per": "contract", "fresh_for": "20d",
              "cancel_on": ["contract.ended"]}},
    {"key": "feature", "priority": 30, "audience": {"who": "product", "sample": 0.5, "max_per_account": 2},
     "quarantine": BUDGET,
     "when": {"touchpoint": "feature.released", "per": "product", "delay": "5d", "fresh_for": "20d"}},
    {"key": "recovery", "quarantine": {"contact": "3d", "exempt": True},
     "when": {"touchpoint": "support.contacted", "per": "contact", "delay": "1d", "fresh_for": "5d"}},
    {"key": "rehearsal", "state": "shadow", "quarantine": {"contact": "14d"},
     "when": {"touchpoint": "order.delivered", "per": "order", "delay": "1d", "fresh_for": "9d"}},
    {"key": "agreed", "consent": "opt_in", "quarantine": BUDGET,
     "when": {"touchpoint": "claim.resolved", "per": "contact", "delay": "4h", "fresh_for": "9d"}},
)  # fmt: skip
"""Holds, budgets, quarantines, samples, counting, series, dates that move, shadow, consent."""

KEEPING: Sequence[dict[str, Any]] = (
    {"key": "council", "family": "progress", "priority": 52, "send__window": "anytime",
     "quarantine": {"contact": "4d", "account": {"max": 3, "per": "30d"}},
     "audience": {"who": "account", "coverage": {"decision_maker": 1, "user": 1}},
     "when": {"every": "1mo", "anchor": "account.start", "until": ["account.churned"], "per": "account",
              "fresh_for": "15d"}},
)  # fmt: skip
"""A small budget of which places are kept for whoever is still missing."""


def write_programmes(folder: Path, programmes: Sequence[dict[str, Any]] = PROGRAMMES) -> Path:
    """A folder with these programmes."""
    folder.mkdir(parents=True, exist_ok=True)
    for changes in programmes:
        text = yaml.safe_dump(definition(**changes), allow_unicode=True)
        (folder / f"{changes['key']}.yaml").write_text(text)
    return folder


def history(seed: int, events: int = 90) -> list[Told]:
    """Events in order of time; the same seed tells the same."""
    chance = Chance(seed)
    accounts = [_account(chance, number) for number in range(3)]
    people = [_person(chance, number) for number in range(9)]
    moments = sorted(chance.uniform(0, DAYS) for _ in range(events))
    at = [BEGINS + timedelta(seconds=round(day * 86400)) for day in moments]
    told = [(BEGINS, f"a{n}", "account.updated", {"account": account}) for n, account in enumerate(accounts)]
    told += [
        (BEGINS, f"p{n}", "contact.updated", {"contact": person, "account": accounts[n % 3]})
        for n, person in enumerate(people)
    ]
    told += [(when, f"e{n}", *_event(chance, when, people, accounts)) for n, when in enumerate(at)]
    return told


def told_at_customers(events: Sequence[Told]) -> list[Told]:
    """The same, but every third release is told at a customer."""
    company = {"account": {"id": "a1"}}
    releases = [name for _, name, kind, _ in events if kind == "feature.released"][::3]
    return [
        (at, name, kind, {**data, **(company if name in releases else {})}) for at, name, kind, data in events
    ]


def cloud_event(told: Told) -> dict[str, Any]:
    """An event as a backend would write it."""
    at, event_id, kind, data = told
    return {
        "specversion": "1.0", "id": event_id, "source": "/crm", "type": kind,
        "data": {"occurred_at": at.isoformat(), **data},
    }  # fmt: skip


def write_history(file: Path, events: Sequence[Told]) -> Path:
    """A file of events, a line each."""
    file.write_text("".join(f"{json.dumps(cloud_event(told))}\n" for told in events), encoding="utf-8")
    return file


def touchpoint(told: Told) -> Touchpoint:
    """The data of an event."""
    return Touchpoint.model_validate({"occurred_at": told[0], **told[3]})


def _account(chance: Chance, number: int) -> dict[str, Any]:
    started = {"started_on": f"2025-{1 + chance.randrange(12):02d}-17"} if number else {}
    tier = ("small", "key", "premium")[number]
    return {"id": f"a{number}", "name": f"Kund {number}", "tier": tier, **started}


def _person(chance: Chance, number: int) -> dict[str, Any]:
    email = "nobody@nordlicht.example" if number == 8 else f"p{number}@kund{number % 3}.example"
    person = {
        "id": f"c{number}", "email": email, "name": f"Person {number}", "zone": chance.choice(ZONES),
        "persona": "decision_maker" if number < 4 else "user",
    }  # fmt: skip
    return person if number % 2 else {**person, "consent": chance.random() < 0.7}


@dataclass(frozen=True)
class _Scene:
    """Somebody, at a moment."""

    chance: Chance
    at: datetime
    person: dict[str, Any]
    account: dict[str, Any]

    def subject(self, kind: str, most: int) -> dict[str, Any]:
        """One of a few things."""
        return {"subject": {"kind": kind, "id": f"s{self.chance.randrange(most)}"}}

    @property
    def stranger(self) -> str:
        """Somebody known by an id alone, who may turn out to be somebody else."""
        return f"thin{self.chance.randrange(4)}"

    @property
    def company(self) -> dict[str, Any]:
        """A company that may turn out to be another one, known or not."""
        return {"id": f"a{self.chance.randrange(6)}"}

    @property
    def thin(self) -> dict[str, Any]:
        """Named by ids alone."""
        return {"contact": {"id": self.person["id"]}, "account": {"id": self.account["id"]}}

    @property
    def full(self) -> dict[str, Any]:
        """All that is known, with a role."""
        role = self.chance.choice(("requester", "main_contact", ""))
        return {"contact": {**self.person, "role": role}, "account": self.account}

    @property
    def partner(self) -> dict[str, Any]:
        """Somebody who leads a project, whosever it is."""
        return {"id": self.person["id"], "role": "main_contact"}

    @property
    def contract(self) -> dict[str, Any]:
        """The account's contract."""
        return {"subject": {"kind": "contract", "id": f"contract-{self.account['id']}"}}


def _renewal(scene: _Scene) -> dict[str, Any]:
    day = (scene.at + timedelta(days=scene.chance.randrange(10, 90))).date()
    return {**scene.thin, **scene.contract, "renewal_on": day.isoformat()}


def _moved(scene: _Scene) -> dict[str, Any]:
    other = {"id": f"a{scene.chance.randrange(3)}"}
    changes = {"zone": scene.chance.choice(ZONES), "consent": scene.chance.random() < 0.5}
    return {"contact": {**scene.person, **changes}, "account": other}


_KINDS: Sequence[tuple[int, Sequence[str], Callable[[_Scene], dict[str, Any]]]] = (
    (12, ["order.delivered"], lambda s: {**s.full, **s.subject("order", 12)}),
    (4, ["order.returned"], lambda s: {**s.full, **s.subject("order", 12)}),
    (10, ["support_ticket.resolved"], lambda s: {**s.full, **s.subject("ticket", 9)}),
    (4, ["support_ticket.reopened"], lambda s: {**s.full, **s.subject("ticket", 9)}),
    (12, ["purchase.completed", "support.contacted", "claim.resolved"], lambda s: s.full),
    (10, ["transaction.completed"], lambda s: {**s.thin, "context": {"amount": s.chance.choice((5, 20))}}),
    (6, ["project.started", "project.started", "project.completed"],
     lambda s: {**s.full, **s.subject("project", 3)}),
    (6, ["contract.renewal_date_set"], _renewal),
    (6, ["project.joined"], lambda s: {"contact": s.partner, **s.subject("project", 3)}),
    (8, ["product.used"], lambda s: {**s.thin, "product": "Press"}),
    (3, ["feature.released"], lambda s: {"product": "Press", **s.subject("release", 4)}),
    (8, HOLDS, lambda s: {"account": s.account, **s.chance.choice(({}, s.subject("hold", 2)))}),
    (2, ["contract.ended", "account.churned", "contact.deleted"], lambda s: {**s.thin, **s.contract}),
    (1, ["contract.ended", "account.churned"], lambda s: {"account": s.account}),
    (3, ["contact.updated"], _moved),
    (1, ["contact.merged"], lambda s: {"contacts": [{"id": s.person["id"]}, {"id": s.stranger}]}),
    (1, ["account.merged"], lambda s: {"accounts": [s.company, {"id": s.account["id"]}]}),
    (2, ["product.used"], lambda s: {"contact": {"id": s.stranger}, "product": "Press"}),
    (2, ["purchase.completed"],
     lambda s: {"contact": {"id": s.stranger, "email": s.person["email"]}, "account": s.account}),
)  # fmt: skip
"""What happens: how often, under which names, and what it tells."""


def _event(
    chance: Chance, at: datetime, people: list[dict[str, Any]], accounts: list[dict[str, Any]]
) -> tuple[str, dict[str, Any]]:
    number = chance.randrange(len(people))
    _, names, tell = chance.choices(_KINDS, [weight for weight, _, _ in _KINDS])[0]
    return chance.choice(names), tell(_Scene(chance, at, people[number], accounts[number % 3]))
