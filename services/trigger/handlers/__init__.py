"""Records in, state and events out: what trigger does with each topic it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.trigger.handlers.conflicts import on_conflicts
from services.trigger.handlers.feedback import (
    DELIVERY_TYPES,
    RESPONSE_TYPES,
    on_deliveries,
    on_responses,
    on_tickets,
)
from services.trigger.handlers.shared_links import introduce
from services.trigger.handlers.touchpoints import Touchpoints
from shared.contracts.envelope import Event
from shared.contracts.tickets import TICKET_TYPES
from shared.contracts.topics import Topic
from shared.db.database import Tx
from shared.runtime.consumer import Compared, Route, Subscription
from shared.security.sealing import Sealer


def subscriptions(sealer: Sealer) -> tuple[Subscription, ...]:
    """What trigger reads, and by which handler.

    Touchpoints are open, so that handler picks them from all events.
    """

    async def responses(events: Sequence[Event[Any]], tx: Tx) -> None:
        await on_responses(events, tx)
        await introduce(sealer, events, tx)

    return (
        Subscription(
            (Topic.TOUCHPOINTS, Topic.DELIVERIES, Topic.RESPONSES, Topic.TICKETS),
            (
                Route(("*",), Touchpoints(sealer).handle),
                Route(DELIVERY_TYPES, on_deliveries),
                Route(RESPONSE_TYPES, responses),
                Route(TICKET_TYPES, on_tickets),
            ),
            compared=Compared((Topic.TOUCHPOINTS,), on_conflicts),
        ),
    )
