"""What an event means besides a question: holds by incidents, and context that later explains a score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.trigger.domain.catalogue import Catalogue
from shared.contracts.directory import ContextKind, ContextRecorded
from shared.contracts.touchpoints import Touchpoint

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CONTEXT: dict[str, ContextKind] = {
    "usage.reported": ContextKind.USAGE,
    "contract.renewal_date_set": ContextKind.RENEWAL,
    "contract.renewed": ContextKind.RENEWAL,
    "contract.ended": ContextKind.CHURN,
    "account.churned": ContextKind.CHURN,
    "feature.released": ContextKind.RELEASE,
    "incident.opened": ContextKind.INCIDENT,
    "incident.resolved": ContextKind.INCIDENT,
    "support_ticket.opened": ContextKind.SUPPORT_TICKET,
    "support_ticket.resolved": ContextKind.SUPPORT_TICKET,
    "support_ticket.reopened": ContextKind.SUPPORT_TICKET,
    "change.shipped": ContextKind.CHANGE_SHIPPED,
}


@dataclass(frozen=True, slots=True)
class AccountHold:
    """An incident or another hold of an account began or ended; the newest version counts.

    `every`: it ends those of its kind whatever they are about, as the event does not say which.
    """

    kind: str
    ref: str
    holder: str
    account_id: UUID
    version: int
    active: bool
    every: bool = False


def holds_of(
    event_type: str, told: Touchpoint, account_id: UUID | None, catalogue: Catalogue
) -> Iterator[AccountHold]:
    """The holds that an event puts on its account, or lifts."""
    if account_id is None:
        return
    if event_type not in catalogue.begins and event_type not in catalogue.ends:
        return
    version = int((told.occurred_at - _EPOCH).total_seconds() * 1000)
    for events, active in ((catalogue.begins, True), (catalogue.ends, False)):
        for name in events.get(event_type, ()):
            # What began without saying what it is about is ended by whatever ends its kind.
            about = told.subject.id if told.subject else name
            every = not active and told.subject is None
            for ref in dict.fromkeys((about,) if active else (about, name)):
                yield AccountHold(name, ref, str(account_id), account_id, version, active, every)


def context_of(event_type: str, told: Touchpoint, account_id: UUID | None) -> ContextRecorded | None:
    """The context that an event is; None for one that explains nothing."""
    kind = CONTEXT.get(event_type)
    if kind is None:
        return None
    data = {
        key: value for key, value in told.context.items() if not (isinstance(value, str) and "@" in value)
    }
    if told.renewal_on:
        data["renewal_on"] = told.renewal_on.isoformat()
    return ContextRecorded(
        kind=kind,
        at=told.occurred_at,
        account_id=str(account_id) if account_id else None,
        product=told.product,
        data={"event": event_type, **data},
    )
