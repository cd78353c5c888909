"""Records in, state and events out: what trigger does with each topic it reads."""

from __future__ import annotations

from services.trigger.handlers.conflicts import on_conflicts
from services.trigger.handlers.feedback import (
    DELIVERY_TYPES,
    RESPONSE_TYPES,
    on_deliveries,
    on_responses,
    on_tickets,
)
from services.trigger.handlers.touchpoints import Touchpoints
from shared.contracts.tickets import (
    TicketAcknowledged,
    TicketContacted,
    TicketEscalated,
    TicketJoined,
    TicketOpened,
    TicketRecovered,
    TicketReopened,
    TicketResolved,
)
from shared.contracts.topics import Topic
from shared.runtime.consumer import Compared, Route, Subscription
from shared.security.sealing import Sealer

TICKET_TYPES = tuple(
    ticket.TYPE
    for ticket in (
        TicketOpened,
        TicketJoined,
        TicketAcknowledged,
        TicketContacted,
        TicketEscalated,
        TicketResolved,
        TicketReopened,
        TicketRecovered,
    )
)


def subscriptions(sealer: Sealer) -> tuple[Subscription, ...]:
    """What trigger reads, and by which handler.

    Touchpoints are open, so that handler picks them from all events.
    """
    return (
        Subscription(
            (Topic.TOUCHPOINTS, Topic.DELIVERIES, Topic.RESPONSES, Topic.TICKETS),
            (
                Route(("*",), Touchpoints(sealer).handle),
                Route(DELIVERY_TYPES, on_deliveries),
                Route(RESPONSE_TYPES, on_responses),
                Route(TICKET_TYPES, on_tickets),
            ),
            compared=Compared((Topic.TOUCHPOINTS,), on_conflicts),
        ),
    )
