"""What became of the question about a case: did we fix it?"""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.model import Instant, Payload
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.topics import Topic


class QuestionDecided(Payload):
    """Whether somebody is asked about their case, when, and why not; each decision of the ledger about it.

    `question_id` is the survey's id where there is a plan. `run`: how often the case was opened. `until` is
    when they are to be asked, and of a requested survey until when answers are taken.
    """

    TYPE: ClassVar[str] = "question.decided.v1"
    TOPIC: ClassVar[Topic] = Topic.CONTEXT
    AGGREGATE: ClassVar[str] = "question"

    question_id: str
    ticket_id: str
    run: int
    contact_id: str
    programme: str
    outcome: Outcome
    reason: Reason | None = None
    until: Instant | None = None
    at: Instant
