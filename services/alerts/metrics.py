"""What Prometheus sees of the alerts service; labels come from closed lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from prometheus_client import Counter, Gauge, Histogram

from shared.contracts.tickets import Ticket, TicketEscalated

_HOUR = 3600.0
_HOURS = tuple(_HOUR * hours for hours in (0.1, 0.25, 0.5, 1, 2, 4, 8, 12, 18, 24, 36, 48, 96, 168, 336, 720))

TICKETS = Gauge("afterword_alerts_tickets", "Tickets by state.", ["state"])
UNCONFIRMED = Gauge("afterword_alerts_unconfirmed_items", "Held unhappy answers that wait for a look.")
OPENED = Counter("afterword_alerts_tickets_opened_total", "Tickets opened.")
BREACHES = Counter("afterword_alerts_breaches_total", "Clocks that ran out, by clock.", ["clock"])
NOTICES = Counter("afterword_alerts_notices_total", "Attempts to tell somebody.", ["channel", "result"])
GAP_MAILS = Counter(
    "afterword_alerts_gap_mails_total", "Attempts to warn a manager of a gap in a rota.", ["result"]
)
FINDING_MAILS = Counter(
    "afterword_alerts_finding_mails_total",
    "Attempts to tell a manager that a score fell, a theme or churn rises.",
    ["result"],
)
REPORT_MAILS = Counter(
    "afterword_alerts_report_mails_total", "Attempts to hand a monthly report over.", ["result"]
)
HELD = Counter(
    "afterword_alerts_pages_held_total", "Notices put together with others of a quarter of an hour."
)
WEBHOOKS = Counter(
    "afterword_alerts_webhooks_total", "Webhooks of helpdesks by result.", ["helpdesk", "result"]
)
TO_ACKNOWLEDGE = Histogram(
    "afterword_alerts_acknowledge_seconds",
    "Business time from the start of the clock to taking a case.",
    buckets=_HOURS,
)
TO_CONTACT = Histogram(
    "afterword_alerts_contact_seconds",
    "Business time from the start of the clock to the contact.",
    buckets=_HOURS,
)
TO_RESOLVE = Histogram(
    "afterword_alerts_resolve_seconds",
    "Business time from the start of the clock to resolving.",
    buckets=_HOURS,
)

_ESCALATED_TO = {2: "contact"}
_DURATIONS = {"acknowledged": TO_ACKNOWLEDGE, "contacted": TO_CONTACT, "resolved": TO_RESOLVE}


def count(events: Iterable[Ticket], since_start: timedelta) -> None:
    """Count what happened to a ticket, `since_start` after its clocks began to run."""
    for event in events:
        word = event.TYPE.split(".")[1]
        if isinstance(event, TicketEscalated):
            _breach(event)
        elif word == "opened":
            OPENED.inc()
        elif word in _DURATIONS:
            _DURATIONS[word].observe(max(since_start, timedelta()).total_seconds())


def _breach(event: TicketEscalated) -> None:
    if event.clock == "resolve":
        BREACHES.labels("resolve").inc()
    elif event.level > 1:
        BREACHES.labels(_ESCALATED_TO.get(event.level, "leadership")).inc()
