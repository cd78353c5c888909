"""What a sender of webhooks is to us: how it signs, and how its words are read.

A provider is data and two pure functions; routes, database and clock are elsewhere. To add one, write a
module with a `PROVIDER` and name it in `webhooks.PROVIDERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from services.trigger.domain.reports import Report
from shared.security.schemes import Call, Verify
from shared.security.signatures import Signed, WebhookSecret


@dataclass(frozen=True, slots=True)
class Options:
    """What differs between customers of the same partner.

    Attributes:
        hubspot_closed_stages: ids of the ticket pipelines' stages that mean solved.
        hubspot_renewal_properties: date properties of deals and companies that hold the end of a contract.
        hubspot_renewed_stages: ids of stages of deals that mean that a contract was renewed.
        hubspot_lost_stages: ids of those that mean that it will not be.
        jira_done: names of the statuses that mean solved, in lower case.
    """

    hubspot_closed_stages: frozenset[str] = frozenset({"4"})
    hubspot_renewal_properties: frozenset[str] = frozenset({"renewal_date"})
    hubspot_renewed_stages: frozenset[str] = frozenset()
    hubspot_lost_stages: frozenset[str] = frozenset()
    jira_done: frozenset[str] = frozenset({"done", "resolved", "closed"})


@dataclass(frozen=True, slots=True)
class Ignored:
    """A request that is fine but says nothing that anybody asks about."""

    why: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """One entry of a request that cannot be used, with the path in the reason; the others are taken."""

    reason: str


Reading = tuple[Report | Rejected, ...] | Ignored
Read = Callable[[Call, Signed, Options], Reading]
"""Raises BadBodyError for a body that cannot be used."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One sender.

    Attributes:
        name: the last part of its route, `/webhooks/<name>`, and the label of metrics.
        verify: whether a request is the sender's; several secrets at once, any one suffices.
        read: what the request reports. Each report has a name of its own for repeats, taken from what was
            signed wherever the sender puts one there; a report with a `gap` is thin.
        secret: reads a secret as the sender shows it.
    """

    name: str
    verify: Verify
    read: Read
    secret: Callable[[str], WebhookSecret] = field(default=WebhookSecret.plain)

    @property
    def route(self) -> str:
        """The path of its requests; also the source of events that name none of their own."""
        return f"/webhooks/{self.name}"
