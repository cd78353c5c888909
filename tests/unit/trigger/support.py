"""Builders of trigger's domain values for tests."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.trigger.domain.audience import Person
from services.trigger.domain.expanding import Crowd
from services.trigger.domain.facts import Asks, Facts
from services.trigger.domain.model import (
    Account,
    Ask,
    Contact,
    Moment,
    Organisation,
    Plan,
    Reach,
    identity,
    plan_id,
)
from services.trigger.domain.programme import Edition, edition_of
from shared.config.documents import read_documents
from shared.contracts.directory import Brand, Sender
from shared.contracts.model import Family
from shared.contracts.touchpoints import Touchpoint
from tests.support.changed import replace

NOW = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
ANNA = Contact(
    id=identity("contact", "anna"),
    version=1,
    reach=Reach.OK,
    zone="Europe/Stockholm",
    domains=("kund",),
    known_at=NOW,
)
ACME = Account(id=identity("account", "a1"), version=1, external_id="a1", name="Acme", region="SE")
ORGANISATION = Organisation(
    name="Nordlicht",
    zone="Europe/Stockholm",
    brand=Brand(name="Nordlicht"),
    sender=Sender(name="Maria Lind", email="maria@nordlicht.example"),
    public_url="https://ask.example",
)

TEXT = """
key: delivery-csat
title: {en: Delivery}
family: transactional
when: {touchpoint: order.delivered, per: order, delay: 2h, cancel_on: [order.returned], fresh_for: 3d}
send: {window: anytime, reminders: [{after: 4d}]}
letter: {subject: {en: "How was {subject}?"}, intro: {en: Hello}, reminder: {en: Again}}
priority: 50
quarantine: {contact: 14d}
primary: csat
questions:
  - {id: csat, type: csat, text: {en: "How satisfied?"}, low_label: {en: Bad}, high_label: {en: Good}}
  - {id: why, type: text, optional: true, text: {en: "Why?"}}
"""


def definition(**changes: Any) -> dict[str, Any]:
    """A small programme; a dotted name with __ changes a part: when__delay="1d", None removes."""
    found: dict[str, Any] = read_documents(TEXT)[0].data
    for name, value in changes.items():
        *path, last = name.split("__")
        part = found
        for step in path:
            part = part.setdefault(step, {})
        if value is None:
            part.pop(last, None)
        else:
            part[last] = deepcopy(value)
    return found


def edition(**changes: Any) -> Edition:
    """An edition of the small programme."""
    return edition_of(definition(**changes))


def crowd(*contacts: Contact, asked: dict[UUID, datetime] | None = None) -> Crowd:
    """People of Acme whom an audience may mean."""
    return Crowd([Person(contact) for contact in contacts], {ACME.id: ACME}, asked or {})


def touchpoint(at: datetime = NOW, **data: Any) -> Touchpoint:
    """An event; its data with one order unless said otherwise."""
    return Touchpoint.model_validate(
        {"occurred_at": at, "account": {"id": "a1"}, "subject": {"kind": "order", "id": "o1"}, **data}
    )


def plan(of: Edition, number: int = 1, **changes: Any) -> Plan:
    """A plan for Anna that is due now."""
    moment = Moment(
        touchpoint="order.delivered", at=NOW - timedelta(hours=2), subject_kind="order", subject_id="o1"
    )
    subject = f"order:o{number}"
    found = Plan(
        id=plan_id(of.key, subject, 1, ANNA.id),
        programme=of.key,
        version=of.version,
        subject=subject,
        contact_id=ANNA.id,
        account_id=ACME.id,
        moment=moment,
        first_due_at=NOW,
        due_at=NOW,
        stale_at=NOW + timedelta(days=3),
        priority=of.programme.priority,
    )
    return replace(found, **changes)


def ask(number: int = 1, days_ago: float = 1, **changes: Any) -> Ask:
    """A survey that Anna was asked some days ago."""
    at = NOW - timedelta(days=days_ago)
    found = Ask(
        survey_id=UUID(int=number),
        plan_id=UUID(int=number + 1000),
        programme="other",
        version="v",
        family=Family.TRANSACTIONAL,
        contact_id=ANNA.id,
        account_id=ACME.id,
        asked_at=at,
        closes_at=at + timedelta(days=30),
    )
    return replace(found, **changes)


def facts(now: datetime = NOW, **changes: Any) -> Facts:
    """What the gate knows: Anna of Acme, nothing else."""
    given: dict[str, Any] = {"contacts": {ANNA.id: ANNA}, "accounts": {ACME.id: ACME}}
    changes["asks"] = Asks(changes.get("asks", ()))
    return Facts(now, ORGANISATION, **{**given, **changes})
