"""Records of others' topics: taken in like webhooks, once per id of the sender's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.trigger import metrics
from services.trigger.handlers.intake import Intake, Taken
from services.trigger.store import missed
from shared.contracts.envelope import Event
from shared.db.database import Tx
from shared.runtime.consumer import Decode, Foreign, Route, Subscription

SOURCES = "sources"


def foreign_topics(topics: Callable[[], tuple[str, ...]], decode: Decode, intake: Intake) -> Subscription:
    """How topics of others are read; `topics` says which, whenever it is asked."""

    async def on_reported(events: Sequence[Event[Any]], tx: Tx) -> None:
        """Take in what the records report, source by source, in their order; note what was missed."""
        await missed.note(tx.conn, [one for event in events for one in event.data.missed], tx.now)
        by_source: dict[str, list[Event[Any]]] = {}
        for event in events:
            by_source.setdefault(event.source, []).append(event)
        for source, told in sorted(by_source.items()):
            taken = await intake.take(tx, source, [one for event in told for one in event.data.reports])
            metrics.WEBHOOKS.labels(SOURCES, Taken.CONFLICT).inc(taken.count(Taken.CONFLICT))

    return Subscription((), (Route(("*",), on_reported),), Foreign(topics, decode))
