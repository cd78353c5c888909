"""The simulated clock: events and what comes due, in order of time, decided by the functions of the service.

What the service does in a transaction with locks is one step here. Nobody answers, every mail arrives at
once, and nobody pulls the brake: a history does not tell of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.trigger.domain import merging, merging_accounts
from services.trigger.domain.backtest.parties import Parties
from services.trigger.domain.backtest.people import Folk, Named, People
from services.trigger.domain.backtest.rounds import all_that_is_due
from services.trigger.domain.backtest.state import Note, State
from services.trigger.domain.backtest.uniting import unite, unite_accounts
from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.decisions import Occurrence, of_plan
from services.trigger.domain.directory import DELETES
from services.trigger.domain.facts import Facts
from services.trigger.domain.model import Account, Decision, Organisation, PlanState
from services.trigger.domain.places import may_fall_out
from services.trigger.domain.planning import called_off, plan_surveys
from services.trigger.domain.programme import Edition
from services.trigger.domain.series import begin_series, needs_series
from services.trigger.domain.survey import survey_id_of
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint
from shared.values import altered

_MERGES = frozenset({merging.EVENT, merging_accounts.EVENT})
_NEVER = datetime.min.replace(tzinfo=UTC)


class Simulation:
    """Trigger with a clock of its own.

    Args:
        editions: The programmes.
        organisation: Whose zone, languages and own domains count.
        note: Is told every decision with its time.
        people: An empty directory, filled from the events.
    """

    def __init__(
        self,
        editions: Sequence[Edition],
        organisation: Organisation,
        note: Note,
        people: People,
    ) -> None:
        own = frozenset(people.blind("domain", domain) for domain in organisation.own_domains)
        self._state = State(
            editions={edition.key: edition for edition in editions},
            catalogue=Catalogue.of(editions),
            organisation=organisation,
            people=people,
            parties=Parties(editions),
            facts=Facts(_NEVER, organisation, own, contacts=people.contacts, accounts=people.accounts),
            note=note,
            reach=max((e.programme.quarantine.reach for e in editions), default=timedelta()),
            series=frozenset(e.key for e in editions if e.programme.when.recurring),
        )
        self.people = people
        self.diary = self._state.diary
        self.unmatched = 0
        self._catalogue = self._state.catalogue
        self._facts = self._state.facts
        self._fresh: set[UUID] = set()

    def happen(self, kind: str, source: str, event_id: str, told: Touchpoint, at: datetime) -> None:
        """An event happens: what came due before it is decided, then it is planned, then what is due now.

        Args:
            kind: Its type.
            source: Who tells it.
            event_id: Its id.
            told: Its data.
            at: When it happened, in UTC; not before the event before it.

        Raises:
            Unprocessable: A person is referred to by something that is no id.
        """
        self.until(at)
        named = self.people.named(told)
        people = self.people
        if kind in _MERGES:
            self._unite(kind, told, named, source)
        if kind != merging.EVENT:
            for pair in people.duplicates():
                unite(self._state, pair, "same address")
        if named and people.merged:
            named = [(people.current(contact_id), one) for contact_id, one in named]
        # How people stand before it, where it counts that they change.
        stood = [people.contacts[who] for who, _ in named] if self._catalogue.keeping else ()
        before, account, folk = people.fold(told, named, source, event_id)
        self._plan(kind, event_id, told, before, account, folk)
        if stood:
            left = [one.account_id for one in stood if may_fall_out(one, people.contacts[one.id])]
            self._state.give_places_back(left)
        self._side_effects(kind, told, account, folk)
        if (due := self.diary.next_at()) is not None and due <= at:
            all_that_is_due(self._state)

    def _unite(self, kind: str, told: Touchpoint, named: Named, source: str) -> None:
        """An event says that people, or companies, are the same."""
        if kind == merging_accounts.EVENT:
            unite_accounts(self._state, told, source)
        else:
            unite(self._state, [contact_id for contact_id, _ in named], source)

    def until(self, at: datetime) -> None:
        """Time passes, with a stop at every moment at which something is due."""
        diary, facts = self.diary, self._facts
        while (due := diary.next_at()) is not None and due <= at:
            facts.now = max(facts.now, due)
            all_that_is_due(self._state)
        facts.now = max(facts.now, at)

    def _plan(
        self,
        kind: str,
        event_id: str,
        told: Touchpoint,
        before: Account | None,
        account: Account | None,
        folk: Folk,
    ) -> None:
        book = self.diary.book
        series = self._catalogue.series
        if series and before is not account and account and before and needs_series(before, account):
            for decision in begin_series([account], self._state.world(), book):
                self._say(decision)
        if self._catalogue.concerned(kind, dated=told.renewal_on is not None):
            self._decide(Occurrence(kind, event_id, told, account, folk))
        else:
            self.unmatched += 1
        if book.changed:
            changed = [plan for plan in self.diary.take() if plan.id not in self._fresh]
            self._state.wake_outranked(changed)
            keeping = self._catalogue.keeping
            self._state.give_places_back(plan.account_id for plan in changed if plan.programme in keeping)
            self._fresh.clear()

    def _decide(self, event: Occurrence) -> None:
        book = self.diary.book
        decisions = plan_surveys(event, self._state.world(), book)
        if decisions[0].reason is Reason.NOT_MATCHED:
            self.unmatched += 1
        else:
            for decision in decisions:
                self._say(decision)
        for edition in self._catalogue.ending.get(event.type, ()):
            for plan in called_off(event, edition, book):
                self._state.recall(survey_id_of(plan.id), Reason.CANCELLED)

    def _say(self, decision: Decision) -> None:
        """Note what planning decided; a plan that is new cannot have kept anybody waiting."""
        if decision.outcome is Outcome.PLANNED and decision.reason is None and decision.plan_id:
            self._fresh.add(decision.plan_id)
        self._state.note(self._facts.now, decision)

    def _side_effects(self, kind: str, told: Touchpoint, account: Account | None, folk: Folk) -> None:
        """Holds, who takes part in what, and erasures."""
        parties, now = self._state.parties, self._facts.now
        holds = kind in self._catalogue.begins or kind in self._catalogue.ends
        if holds and account and parties.hold(kind, told, account.id, self._catalogue):
            self.diary.wake(now, Reason.HELD, (), (account.id,))
            self.diary.wake_reminders(now, account.id)
        parties.see(told, account, folk)
        if kind == DELETES:
            for person in folk:
                for contact_id in (person.contact.id, *self.people.former(person.contact.id)):
                    self._erase(contact_id)

    def _erase(self, contact_id: UUID) -> None:
        home = self.people.contacts[contact_id].account_id
        if not self.people.erase(contact_id, self._facts.now):
            return
        self._state.parties.forget(contact_id)
        for plan in list(self.diary.pending_of(contact_id)):
            self.diary.put(altered(plan, state=PlanState.CANCELLED, reason=Reason.ERASED))
            self._state.note(self._facts.now, of_plan(plan, Outcome.CANCELLED, Reason.ERASED, {}))
            self._state.give_places_back([plan.account_id])
        self._state.give_places_back([home])
        for survey_id in self.diary.open_of(contact_id):
            self._state.recall(survey_id, Reason.ERASED)
