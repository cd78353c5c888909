"""The topics of Afterword: who writes, who reads, how long records are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Topic(StrEnum):
    """Names of all topics; dead letters of a topic go to `dlq.<topic>`."""

    TOUCHPOINTS = "afterword.touchpoints"
    DIRECTORY = "afterword.directory"
    CONTEXT = "afterword.context"
    PROGRAMMES = "afterword.programmes"
    SURVEYS = "afterword.surveys"
    MESSAGES = "afterword.messages"
    DELIVERIES = "afterword.deliveries"
    RESPONSES = "afterword.responses"
    SCORES = "afterword.scores"
    FINDINGS = "afterword.findings"
    TICKETS = "afterword.tickets"
    IMPROVEMENTS = "afterword.improvements"
    PERMISSIONS = "afterword.permissions"

    @property
    def dead_letters(self) -> str:
        """Topic that holds copies of this topic's dead letters."""
        return f"dlq.{self.value}"


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How a topic is created.

    Attributes:
        key: what the partition key of its records is.
        writers: the services that announce on it; only their relays make it (`docs/mechanisms/outbox.md`).
        retention: age at which records may go; None = compacted by key, newest kept for ever.
        partitions: fixed at the start (order per key breaks on growth). The embedded broker gives a topic
            four when a client merely asks about it, so four leaves nothing to repair after a loss.
    """

    topic: Topic
    key: str
    writers: tuple[str, ...]
    retention: timedelta | None
    meaning: str
    partitions: int = 4


_DAY = timedelta(days=1)

_TRIGGER, _DISPATCH, _COLLECTOR, _SCORING, _ALERTS = (
    ("trigger",), ("dispatch",), ("collector",), ("scoring",), ("alerts",)
)  # fmt: skip
_WHO = "account, else contact"

TOPICS: tuple[TopicPlan, ...] = (
    TopicPlan(Topic.TOUCHPOINTS, "any", _TRIGGER, 7 * _DAY,
              "What happened at a customer, told by backends and webhooks."),
    TopicPlan(Topic.DIRECTORY, "contact or account", _TRIGGER, None,
              "Contacts, accounts and the organisation as they are now."),
    TopicPlan(Topic.CONTEXT, "account", _TRIGGER, 30 * _DAY,
              "Renewals, churn, releases, incidents and usage; who is asked about a case."),
    TopicPlan(Topic.PROGRAMMES, "programme", _TRIGGER, None, "Every published programme definition."),
    TopicPlan(Topic.SURVEYS, _WHO, _TRIGGER, 30 * _DAY,
              "Surveys asked for, reminded, extended, cancelled, closed."),
    TopicPlan(Topic.MESSAGES, _WHO, _ALERTS, 30 * _DAY, "Other messages that dispatch is asked to send."),
    TopicPlan(Topic.DELIVERIES, _WHO, _DISPATCH, 30 * _DAY, "What became of each message."),
    TopicPlan(Topic.RESPONSES, _WHO, _COLLECTOR, 30 * _DAY,
              "Answers, their amendments and verdicts; what was given for them."),
    TopicPlan(Topic.SCORES, "cell", _SCORING, None, "Headline scores as they are now."),
    TopicPlan(Topic.FINDINGS, "programme", _SCORING, 30 * _DAY, "Drops of a score, rising themes and churn."),
    TopicPlan(Topic.TICKETS, _WHO, _ALERTS, 30 * _DAY, "The life of each ticket."),
    TopicPlan(Topic.IMPROVEMENTS, "improvement", _ALERTS, None, "Improvement actions as they are now."),
    TopicPlan(Topic.PERMISSIONS, "response", (*_SCORING, *_ALERTS), 30 * _DAY,
              "What people allow by word of mouth."),
)  # fmt: skip
