"""What scoring does with each kind of event; every handler is a few statements a batch, whatever its size."""

from dataclasses import replace

from services.scoring.domain import reading
from services.scoring.handlers import answers, around, crm, quoting
from shared.contracts.topics import Topic
from shared.runtime.consumer import Subscription

SUBSCRIPTIONS = (
    Subscription(
        topics=(
            Topic.RESPONSES, Topic.SURVEYS, Topic.DELIVERIES, Topic.DIRECTORY, Topic.PROGRAMMES,
            Topic.TICKETS, Topic.CONTEXT, Topic.PERMISSIONS,
        ),
        routes=(*answers.ROUTES, *around.ROUTES, *quoting.ROUTES),
        readers=reading.READERS,
        batch=4000,
        members=2,
    ),
)  # fmt: skip

TOUCHING_SUBSCRIPTIONS = tuple(replace(one, routes=(*one.routes, *crm.ROUTES)) for one in SUBSCRIPTIONS)
"""The same where scores are written to CRMs: it is noted, too, of whom something came in."""

__all__ = ["SUBSCRIPTIONS", "TOUCHING_SUBSCRIPTIONS"]
