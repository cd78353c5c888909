"""What every share of a history decides alike, so that it counts once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.trigger.domain.backtest.tally import Counted, Tally
from services.trigger.domain.model import Decision
from shared.contracts.reasons import Outcome, Reason


class Alike:
    """Notes the decisions of a share.

    Events that name nobody and no account, as the release of a feature, happen to every share: each finds its
    own people for them. What is decided about such an event itself is the same everywhere, and the first
    share counts it; but whether anybody was found is known only when all shares are added.

    Attributes:
        happening: such an event is being planned right now.
        nobody: plans of such events for which this share found nobody, and how that would count.
    """

    def __init__(self, tally: Tally, *, first: bool) -> None:
        self.happening = False
        self.nobody: dict[UUID, Counted] = {}
        self._tally = tally
        self._first = first
        self._plans: set[UUID] = set()

    def note(self, at: datetime, decision: Decision) -> None:
        """Count a decision, unless another share does."""
        if decision.contact_id or decision.account_id or not self._is_alike(decision):
            self._tally.note(at, decision)
        elif decision.outcome is Outcome.SUPPRESSED and decision.plan_id:
            if self._tally.counts(at):
                self.nobody[decision.plan_id] = self._tally.counted(decision)
        elif self._first or self._of_some_account(decision):
            self._tally.note(at, decision)

    def counts(self, plan_id: UUID) -> bool:
        """Whether a plan counts in this share."""
        return self._first or plan_id not in self._plans

    def _is_alike(self, decision: Decision) -> bool:
        if decision.plan_id is None:
            return self.happening
        if self.happening and decision.outcome is Outcome.PLANNED:
            self._plans.add(decision.plan_id)
        return decision.plan_id in self._plans

    @staticmethod
    def _of_some_account(decision: Decision) -> bool:
        """Whether it says that people are missing at one of the accounts of an audience."""
        missing = decision.outcome is Outcome.NOT_MATCHED and decision.reason is Reason.NOT_IN_AUDIENCE
        return missing and decision.plan_id is not None
