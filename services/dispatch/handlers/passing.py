"""One step of a survey goes on to the next channel where this one surely did not reach the person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from services.dispatch.domain.model import Announced, Ending, Planned
from services.dispatch.domain.routing import PASSED_ON_FOR, next_channel
from services.dispatch.domain.states import Happening
from services.dispatch.handlers.planning import Step
from services.dispatch.handlers.reporting import fields_of
from services.dispatch.store import intake, queue
from services.dispatch.store.queue import Route
from shared.contracts.deliveries import DeliveryPassedOn
from shared.contracts.model import Channel, Snapshot
from shared.contracts.reasons import Reason
from shared.db.database import Tx

Ends = Callable[[Happening, Sequence[Ending]], Awaitable[list[UUID]]]
"""Ends messages in the caller's way, under its lease or by late evidence; which ones it really were."""


async def pass_on(tx: Tx, endings: Sequence[Ending], end: Ends) -> tuple[list[Announced], list[Ending]]:
    """Hand steps on to their next channels, in the transaction that ends them.

    Returns:
        What was passed on, and the endings that no other channel can make good.
    """
    wanted = {one.delivery_id: one for one in endings if one.reason in PASSED_ON_FOR}
    routes = await queue.routes(tx.conn, sorted(wanted))
    following = {
        route.delivery_id: (route, channel)
        for route in routes
        if (channel := next_channel(route.preferred, route.before, route.now)) is not None
    }
    if not following:
        return [], list(endings)
    passed = await end(Happening.PASS_ON, [wanted[delivery_id] for delivery_id in following])
    await intake.plan_messages(tx.conn, [_planned(*following[delivery_id]) for delivery_id in passed])
    told = await queue.announcements(tx.conn, passed)
    for one in told:
        event = DeliveryPassedOn(
            **fields_of(one, tx.now),
            reason=Reason(one.reason),
            next_channel=following[one.delivery_id][1],
            detail=one.detail,
        )
        tx.emit(event, identity=str(one.delivery_id), key=one.key)
    return told, [one for one in endings if one.delivery_id not in following]


def _planned(route: Route, channel: Channel) -> Planned:
    """The message that takes the place of one that was passed on: the same step by another channel."""
    snapshot = Snapshot.model_validate_json(route.snapshot)
    step = Step(snapshot, route.requested_at, route.kind, route.survey_id, number=route.step)
    return step.by(channel)
