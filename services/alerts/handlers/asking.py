"""Did we fix it? Who is asked about a case, and why somebody is not, is kept for the case's own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.alerts.domain.asking import DECIDED, Asking, Question, after
from services.alerts.domain.recovery import asked_about
from services.alerts.store import cases, questions
from shared.contracts.cases import QuestionDecided
from shared.contracts.deliveries import (
    Delivery,
    DeliveryBounced,
    DeliveryFailed,
    DeliveryHandedOver,
    DeliverySuppressed,
    DeliveryUncertain,
)
from shared.contracts.envelope import Event
from shared.db.database import Tx
from shared.runtime.consumer import Route

_DELIVERED: Mapping[str, Asking] = {
    DeliveryHandedOver.TYPE: Asking.SENT,
    DeliveryUncertain.TYPE: Asking.SENT,
    DeliverySuppressed.TYPE: Asking.UNSENT,
    DeliveryFailed.TYPE: Asking.UNSENT,
    DeliveryBounced.TYPE: Asking.UNSENT,
}


async def on_decisions(events: Sequence[Event[QuestionDecided]], tx: Tx) -> None:
    """Decisions of trigger about the questions of cases."""
    await _keep(tx, [found for event in events if (found := _decided(event.data))])


async def on_deliveries(events: Sequence[Event[Any]], tx: Tx) -> None:
    """What became of the mails that ask; those of other surveys are for others."""
    found = ((event.type, event.data, asked_about(event.data.snapshot)) for event in events)
    news = [_delivered(kind, told, about) for kind, told, about in found if about and told.survey_id]
    await _keep(tx, news)


async def _keep(tx: Tx, news: Sequence[Question]) -> None:
    if not news:
        return
    await cases.lock(tx.conn, await cases.keys_of(tx.conn, {one.ticket_id for one in news}))
    known = await questions.load(tx.conn, {one.question_id for one in news})
    now = dict(known)
    for one in news:
        now[one.question_id] = after(now.get(one.question_id), one)
    await questions.save(tx.conn, [one for key, one in now.items() if one != known.get(key)])


def _decided(told: QuestionDecided) -> Question | None:
    state = DECIDED.get(told.outcome)
    if state is None:
        return None
    return Question(
        UUID(told.question_id),
        UUID(told.ticket_id),
        told.run,
        UUID(told.contact_id),
        told.programme,
        state,
        told.at,
        told.reason or "",
        told.until,
    )


def _delivered(kind: str, told: Delivery, about: UUID) -> Question:
    run = told.snapshot.context.get("run", "")
    return Question(
        UUID(str(told.survey_id)),
        about,
        int(run) if run.isdigit() else 1,
        UUID(told.snapshot.contact_id),
        told.snapshot.programme,
        _DELIVERED[kind],
        told.at,
        str(getattr(told, "reason", "") or ""),
    )


ROUTES = (
    Route((QuestionDecided.TYPE,), on_decisions),
    Route(tuple(_DELIVERED), on_deliveries),
)
