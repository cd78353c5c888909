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

    @property
    def dead_letters(self) -> str:
        """Topic that holds copies of this topic's dead letters."""
        return f"dlq.{self.value}"


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How a topic is created.

    Attributes:
        key: what the partition key of its records is.
        retention: age at which records may go; None = compacted by key, newest kept for ever.
        partitions: fixed at the start (order per key breaks on growth). The embedded broker gives a topic
            four when a client merely asks about it, so four leaves nothing to repair after a loss.
    """

    topic: Topic
    key: str
    retention: timedelta | None
    meaning: str
    partitions: int = 4


_DAY = timedelta(days=1)

TOPICS: tuple[TopicPlan, ...] = (
    TopicPlan(
        Topic.TOUCHPOINTS, "any", 7 * _DAY, "What happened at a customer, told by backends and webhooks."
    ),
    TopicPlan(
        Topic.DIRECTORY,
        "contact or account",
        None,
        "Contacts, accounts and the organisation as they are now.",
    ),
    TopicPlan(Topic.CONTEXT, "account", 30 * _DAY, "Renewals, churn, releases, incidents and usage."),
    TopicPlan(Topic.PROGRAMMES, "programme", None, "Every published programme definition."),
    TopicPlan(
        Topic.SURVEYS,
        "account, else contact",
        30 * _DAY,
        "Surveys asked for, reminded, extended, cancelled, closed.",
    ),
    TopicPlan(
        Topic.MESSAGES, "account, else contact", 30 * _DAY, "Other messages that dispatch is asked to send."
    ),
    TopicPlan(Topic.DELIVERIES, "account, else contact", 30 * _DAY, "What became of each message."),
    TopicPlan(Topic.RESPONSES, "account, else contact", 30 * _DAY, "Answers, their amendments and verdicts."),
    TopicPlan(Topic.SCORES, "cell", None, "Headline scores as they are now."),
    TopicPlan(Topic.FINDINGS, "programme", 30 * _DAY, "Drops of a score and rising themes."),
    TopicPlan(Topic.TICKETS, "account, else contact", 30 * _DAY, "The life of each ticket."),
)
