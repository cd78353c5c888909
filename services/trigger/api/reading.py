"""What routes and pages of the directory and the ledger have in common: find somebody, read their ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from services.trigger.domain.explain import sentence
from services.trigger.domain.model import Scalar
from services.trigger.domain.particulars import Reading
from services.trigger.store.ledger import Entry
from shared.contracts.reasons import Outcome, Reason


class DecisionLine(BaseModel):
    """One decision with a plain sentence; `until` = when it is looked at again, or planned for.

    `source` is where its event came from, "" when time decided, or once that is forgotten.
    """

    id: int
    at: datetime
    sentence: str
    outcome: Outcome
    reason: Reason | None
    programme: str
    version: str
    step: int
    until: datetime | None
    event_id: str
    source: str
    plan_id: UUID | None
    contact_id: UUID | None
    account_id: UUID | None
    inputs: Mapping[str, Scalar]


def line_of(entry: Entry, sources: Mapping[str, str], reading: Reading) -> DecisionLine:
    """A ledger entry as people and programs read it, with where events came from, by their ids."""
    found = entry.decision
    return DecisionLine(
        id=entry.id,
        at=entry.at,
        sentence=sentence(found, reading),
        outcome=found.outcome,
        reason=found.reason,
        programme=found.programme,
        version=found.version,
        step=found.step,
        until=found.until,
        event_id=entry.event_id,
        source=sources.get(entry.event_id, ""),
        plan_id=found.plan_id,
        contact_id=found.contact_id,
        account_id=found.account_id,
        inputs=found.inputs,
    )
