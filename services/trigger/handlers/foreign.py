"""Records of others' topics: taken in like webhooks, once per id of the sender's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.trigger.handlers.intake import Intake
from services.trigger.store import missed
from shared.contracts.envelope import Event
from shared.db.database import Tx
from shared.runtime.consumer import Decode, Foreign, Route, Subscription


def foreign_topics(topics: Callable[[], tuple[str, ...]], decode: Decode, intake: Intake) -> Subscription:
    """How topics of others are read; `topics` says which, whenever it is asked."""

    async def on_reported(events: Sequence[Event[Any]], tx: Tx) -> None:
        """Take in what the records report, source by source, in their order; note what was missed."""
        await missed.note(tx.conn, [one for event in events for one in event.data.missed], tx.now)
        by_source: dict[str, list[Event[Any]]] = {}
        for event in events:
            by_source.setdefault(event.source, []).append(event)
        for source, told in sorted(by_source.items()):
            await intake.take(tx, source, [report for event in told for report in event.data.reports])

    return Subscription((), (Route(("*",), on_reported),), Foreign(topics, decode))
