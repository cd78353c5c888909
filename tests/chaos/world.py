"""Who lives in a campaign, and what happens to them: drawn by name from a seed, the same every time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from demo.chance import Chance
from tests.chaos.journal import CANARY

ZONES = ("Europe/Stockholm", "Europe/Madrid", "America/New_York", "Asia/Singapore")
LOCALES = ("sv", "es", "en", "en")
PEOPLE_PER_ACCOUNT = 4
OWNERS = ("rita@nordlicht.example", "ola@nordlicht.example")
DOMAIN = "customer.example"


@dataclass(frozen=True, slots=True)
class Touch:
    """Something that a backend tells; `transport` is kafka or webhook."""

    number: int
    transport: str
    id: str
    source: str
    type: str
    key: str
    body: bytes
    poison: bool = False

    @property
    def digest(self) -> str:
        """What tells two bodies apart."""
        return hashlib.sha256(self.body).hexdigest()[:16]

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """CloudEvents in binary mode."""
        at = json.loads(self.body).get("occurred_at", "2026-01-01T00:00:00+00:00")
        attributes = {
            "ce_specversion": "1.0",
            "ce_id": self.id,
            "ce_source": self.source,
            "ce_type": self.type,
            "ce_time": at,
            "content-type": "application/json",
        }
        return [(name, value.encode()) for name, value in attributes.items()]

    @property
    def webhook(self) -> bytes:
        """The body of a call of the generic webhook."""
        told = {"type": self.type, "id": self.id, "source": self.source, "data": json.loads(self.body)}
        return json.dumps(told).encode()


def contact_of(address: str) -> str:
    """Whose address it is; "" for nobody's."""
    name, _, domain = address.partition("@")
    return name if domain == DOMAIN else ""


def canary(number: int) -> str:
    """The name of a person, a word that can be searched for wherever it must not be."""
    return f"{CANARY}{number:06d}"


def leaving(number: int, at: datetime) -> Touch:
    """The n-th person is to be forgotten."""
    account = f"a{number // PEOPLE_PER_ACCOUNT}"
    data = {"occurred_at": at.isoformat(), "account": {"id": account}, "contact": {"id": f"c{number}"}}
    body = json.dumps(data).encode()
    return Touch(number, "kafka", f"leaves-{number}", "/crm", "contact.deleted", account, body)


def touch(chance: Chance, number: int, at: datetime) -> Touch:
    """What happens as the n-th thing, at a business time."""
    happens = chance.share("kind", number)
    if happens < 0.004:
        body = json.dumps({"contact": {"id": "nobody"}}).encode()
        return Touch(number, "kafka", f"poison-{number}", "/shop", "order.delivered", "x", body, poison=True)
    account = number // PEOPLE_PER_ACCOUNT
    place = account % len(ZONES)
    data: dict[str, Any] = {
        "occurred_at": at.isoformat(),
        "account": {
            "id": f"a{account}",
            "name": f"Customer {account}",
            "tier": "key" if account % 7 == 0 else "small",
            "owner": OWNERS[account % len(OWNERS)],
        },
        "contact": {
            "id": f"c{number}",
            "email": f"c{number}@{DOMAIN}",
            "name": canary(number),
            "locale": LOCALES[place],
            "zone": ZONES[place],
            "persona": "decision_maker",
        },
    }
    kind, source = _kind(happens, number, at, data)
    transport = "webhook" if chance.happens(0.3, "transport", number) else "kafka"
    body = json.dumps(data).encode()
    return Touch(number, transport, f"{kind}-{number}", source, kind, f"a{account}", body)


def _kind(happens: float, number: int, at: datetime, data: dict[str, Any]) -> tuple[str, str]:
    if happens < 0.5:
        data["subject"] = {"kind": "order", "id": f"o{number}"}
        return "order.delivered", "/shop"
    if happens < 0.7:
        data["subject"] = {"kind": "ticket", "id": f"t{number}"}
        return "support_ticket.resolved", "/helpdesk"
    if happens < 0.9:
        data["product"] = "Nordlicht Cloud"
        return "customer.signed_up", "/crm"
    data["subject"] = {"kind": "contract", "id": f"k{number}"}
    data["renewal_on"] = (at + timedelta(days=66)).date().isoformat()
    return "contract.renewal_date_set", "/crm"
