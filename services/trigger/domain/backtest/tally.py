"""What a backtest counts while it runs: decisions by programme and reason, and who is asked when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.trigger.domain.backtest.report import Cut
from services.trigger.domain.model import Account, Contact, Decision
from shared.calendars import local_instant
from shared.contracts.reasons import Outcome, Reason

Counted = tuple[str, Outcome, Reason | None, bool]
"""Programme, outcome, reason, and whether it is about a reminder."""

Segment = tuple[str, Cut, str]
"""Programme, what its invitations are cut by, and the value of that."""

_ONE_DAY = timedelta(days=1)
_NEVER = datetime.min.replace(tzinfo=UTC)
_ENDS = frozenset({Outcome.REQUESTED, Outcome.SUPPRESSED, Outcome.CANCELLED, Outcome.SHADOW})


@dataclass(slots=True)
class Tally:
    """Counts between two instants; what lies outside only prepares the ground.

    Attributes:
        zone: in whose days invitations are counted.
        accounts, contacts: companies and people as the simulation knows them, for segments.
        decided: how often something was decided.
        waited: plans that had to wait at least once, by programme and reason.
        sent: invitations by day and programme.
        reminded: reminders by day.
        of_contact, of_account: when a person, and the people of a company, were asked.
        of_segment: invitations by programme, cut and value; "" where it is not known.
    """

    zone: ZoneInfo
    accounts: Mapping[UUID, Account]
    contacts: Mapping[UUID, Contact]
    begins: datetime
    ends: datetime
    decided: Counter[Counted] = field(default_factory=Counter)
    waited: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    sent: dict[date, Counter[str]] = field(default_factory=dict)
    reminded: Counter[date] = field(default_factory=Counter)
    of_contact: dict[UUID, list[datetime]] = field(default_factory=dict)
    of_account: dict[UUID, list[datetime]] = field(default_factory=dict)
    of_segment: Counter[Segment] = field(default_factory=Counter)
    _waiting: dict[UUID, set[Reason]] = field(default_factory=dict)
    _today: tuple[datetime, datetime, date] = (_NEVER, _NEVER, date.min)

    def note(self, at: datetime, decision: Decision) -> None:
        """Count one decision."""
        if not self.begins <= at <= self.ends:
            return
        outcome, reminder = decision.outcome, decision.step > 0
        self.decided[decision.programme, outcome, decision.reason, reminder] += 1
        if outcome is Outcome.NOT_MATCHED or outcome is Outcome.PLANNED:
            return
        if reminder:
            if outcome is Outcome.REQUESTED:
                self.reminded[self._day_of(at)] += 1
        elif outcome is Outcome.DEFERRED:
            self._wait(decision)
        elif outcome in _ENDS and decision.plan_id:
            self._waiting.pop(decision.plan_id, None)
            if outcome is Outcome.REQUESTED:
                self._send(at, decision)

    def counts(self, at: datetime) -> bool:
        """Whether a moment lies in the time that is counted."""
        return self.begins <= at <= self.ends

    @staticmethod
    def counted(decision: Decision) -> Counted:
        """As what a decision is counted."""
        return decision.programme, decision.outcome, decision.reason, decision.step > 0

    def _day_of(self, at: datetime) -> date:
        """The day in which a moment lies, found out once a day."""
        begins, ends, day = self._today
        if not begins <= at < ends:
            day = at.astimezone(self.zone).date()
            self._today = (at, local_instant(day + _ONE_DAY, 0, self.zone), day)
        return day

    def _wait(self, decision: Decision) -> None:
        if decision.plan_id is None or decision.reason is None:
            return
        reasons = self._waiting.setdefault(decision.plan_id, set())
        if decision.reason not in reasons:
            reasons.add(decision.reason)
            self.waited[decision.programme, decision.reason] += 1

    def _send(self, at: datetime, decision: Decision) -> None:
        day = self._day_of(at)
        self.sent.setdefault(day, Counter())[decision.programme] += 1
        if decision.contact_id:
            self.of_contact.setdefault(decision.contact_id, []).append(at)
        account = self.accounts.get(decision.account_id) if decision.account_id else None
        if account:
            self.of_account.setdefault(account.id, []).append(at)
        contact = self.contacts.get(decision.contact_id) if decision.contact_id else None
        for cut, value in (
            (Cut.TIER, account and account.tier),
            (Cut.PERSONA, contact and contact.persona),
            (Cut.OWNER, account and account.owner),
            (Cut.REGION, account and account.region),
        ):
            self.of_segment[decision.programme, cut, value or ""] += 1
