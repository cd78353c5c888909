"""A number that somebody sent back by text message is an answer like any other; only its way is another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.collector.domain.agents import Agent
from services.collector.domain.verdict import Sent
from services.collector.handlers.answering import Answering, Unknown, Unreadable
from shared.contracts.deliveries import DeliveryReplied
from shared.contracts.envelope import Event
from shared.db.database import Tx
from shared.runtime.consumer import Handler, Route

KEY_PREFIX = "reply/"
"""Idempotency keys of replies; the rest is the provider's id, one for each message that came back."""


def replies_route(answering: Answering) -> Route:
    """Takes replies in; their provider has proven itself to dispatch, and no page tells of them."""
    return Route((DeliveryReplied.TYPE,), _handler(answering))


def _handler(answering: Answering) -> Handler:
    async def on_replies(events: Sequence[Event[Any]], tx: Tx) -> None:
        for event in events:
            told: DeliveryReplied = event.data
            if told.survey_id is None:
                tx.reject(event, "survey_id: a reply to no survey")
                continue
            sent = Sent(told.at, "", None, Agent.TEXT)
            outcome = await answering.take_score(
                tx, UUID(told.survey_id), told.score, sent, f"{KEY_PREFIX}{told.reply_id}"
            )
            if isinstance(outcome, Unknown | Unreadable):
                tx.reject(event, f"the reply cannot be taken as an answer: {type(outcome).__name__.lower()}")

    return on_replies
