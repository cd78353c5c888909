"""What scoring does with each kind of event; every handler is a few statements a batch, whatever its size."""

from services.scoring.domain import reading
from services.scoring.handlers import answers, around
from shared.contracts.topics import Topic
from shared.runtime.consumer import Subscription

SUBSCRIPTIONS = (
    Subscription(
        topics=(
            Topic.RESPONSES, Topic.SURVEYS, Topic.DELIVERIES, Topic.DIRECTORY, Topic.PROGRAMMES,
            Topic.TICKETS, Topic.CONTEXT,
        ),
        routes=(*answers.ROUTES, *around.ROUTES),
        readers=reading.READERS,
        batch=4000,
        members=2,
    ),
)  # fmt: skip

__all__ = ["SUBSCRIPTIONS"]
