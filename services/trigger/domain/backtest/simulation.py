"""The simulated clock: events and what comes due, in order of time, decided by the functions of the service.

What the service does in a transaction with locks is one step here. Nobody answers, every mail arrives at
once, and nobody pulls the brake: a history does not tell of that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.trigger.domain import gate, merging, merging_accounts
from services.trigger.domain.backtest.diary import Diary
from services.trigger.domain.backtest.parties import Parties
from services.trigger.domain.backtest.people import Folk, Named, People
from services.trigger.domain.book import World
from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.decisions import Occurrence, of_plan, of_recall
from services.trigger.domain.directory import DELETES
from services.trigger.domain.expanding import Crowd, expand
from services.trigger.domain.model import (
    Account,
    Ask,
    Contact,
    Decision,
    Organisation,
    Plan,
    PlanState,
    place_of,
)
from services.trigger.domain.places import Crew, foreseen, may_fall_out
from services.trigger.domain.planning import called_off, plan_surveys
from services.trigger.domain.programme import Edition
from services.trigger.domain.reminding import after_reminder, reminder_at
from services.trigger.domain.series import begin_series, following, leads, needs_series
from services.trigger.domain.survey import reservation, survey_id_of
from services.trigger.domain.timing import add_span
from services.trigger.domain.turns import in_turn
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint
from shared.values import altered

MEMORY = timedelta(days=800)
"""How far ahead plans are rivals; further than any quarantine that passes the check."""

_HELD_BACK = frozenset({Reason.PAUSED, Reason.HELD})
_FALLEN = frozenset({PlanState.SUPPRESSED, PlanState.CANCELLED})
_NEVER = datetime.min.replace(tzinfo=UTC)

Note = Callable[[datetime, Decision], None]


@dataclass(slots=True)
class _Round:
    """What one round decides, before it is entered."""

    settled: list[Plan] = field(default_factory=list)
    fresh: list[Plan] = field(default_factory=list)
    said: list[Decision] = field(default_factory=list)
    served: set[UUID | None] = field(default_factory=set)


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
        self.people = people
        self.diary = Diary()
        self.unmatched = 0
        self._note = note
        self._catalogue = Catalogue.of(editions)
        self._editions = {edition.key: edition for edition in editions}
        self._series = frozenset(e.key for e in editions if e.programme.when.recurring)
        self._parties = Parties(editions)
        self._organisation = organisation
        own = frozenset(people.blind("domain", domain) for domain in organisation.own_domains)
        self._facts = gate.Facts(
            _NEVER, organisation, own, contacts=self.people.contacts, accounts=self.people.accounts
        )
        self._last_asked: dict[UUID, datetime] = {}
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
        if kind == merging_accounts.EVENT:
            self._unite_accounts(told, source)
        if kind == merging.EVENT:
            self._unite([contact_id for contact_id, _ in named], source)
        else:
            for pair in self.people.duplicates():
                self._unite(pair, "same address")
        if named and self.people.merged:
            named = [(self.people.current(contact_id), one) for contact_id, one in named]
        stood = self._stand(named)
        before, account, folk = self.people.fold(told, named, source, event_id)
        self._plan(kind, event_id, told, before, account, folk)
        self._give_places_back(
            one.account_id for one in stood if may_fall_out(one, self.people.contacts[one.id])
        )
        self._side_effects(kind, told, account, folk)
        if (due := self.diary.next_at()) is not None and due <= at:
            self._due()

    def _stand(self, named: Named) -> list[Contact]:
        """How people stand, where it counts that they change."""
        return (
            [self.people.contacts[contact_id] for contact_id, _ in named] if self._catalogue.keeping else []
        )

    def _give_places_back(self, accounts: Iterable[UUID | None]) -> None:
        """Somebody for whom a place may be kept was asked, or may never be: look again now."""
        companies = dict.fromkeys(account_id for account_id in accounts if account_id)
        if companies:
            self.diary.wake(self._facts.now, Reason.PLACE_KEPT, (), companies)

    def until(self, at: datetime) -> None:
        """Time passes, with a stop at every moment at which something is due."""
        diary, facts = self.diary, self._facts
        while (due := diary.next_at()) is not None and due <= at:
            facts.now = max(facts.now, due)
            self._due()
        facts.now = max(facts.now, at)

    def _unite(self, ids: Iterable[UUID], by: str) -> None:
        """Entries of one person are merged; what was asked of any of them counts, nothing is asked twice."""
        named = list(ids)
        known = any(self.people.is_known(one) for one in named)
        homes = {self.people.contacts[self.people.current(one)].account_id for one in named}
        found = self.people.unite(named)
        if found is None:
            return
        survivor, gone = found
        series = {key for key, edition in self._editions.items() if _again(edition)}
        settled = merging.settle(self.diary.all_of([survivor, *gone]), survivor, gone, series)
        self.diary.move(settled.moved, gone, survivor)
        for contact_id in gone:
            for asks in (self._facts.asks, *self._facts.would_be.values()):
                asks.move(contact_id, survivor)
            self._parties.move(contact_id, survivor)
            self._count_on(contact_id, survivor)
        for decision in merging.lines(survivor, gone, settled, by, known=known):
            self._note(self._facts.now, decision)
        self.diary.wake(self._facts.now, Reason.OUTRANKED, (survivor,), ())
        self._give_places_back([*homes, *(plan.account_id for plan in settled.moved)])

    def _unite_accounts(self, told: Touchpoint, by: str) -> None:
        """Accounts of one company are merged."""
        found = self.people.unite_accounts(told)
        if found is None:
            return
        survivor, gone, known = found
        subjects = [subject for one in (survivor, *gone) for subject in merging_accounts.subjects_of(one)]
        of = self.diary.book.of
        mine = {p.id: p for edition in self._editions.values() for s in subjects for p in of(edition, s)}
        mine |= {plan.id: plan for one in gone for plan in self.diary.about(one)}
        series = {key for key, edition in self._editions.items() if _again(edition)}
        settled = merging_accounts.settle(list(mine.values()), survivor, gone, series)
        self.diary.move_accounts(settled.moved, gone, survivor)
        for one in gone:
            for asks in (self._facts.asks, *self._facts.would_be.values()):
                asks.move_account(one, survivor)
            self._parties.move_account(one, survivor)
            for old, new in zip(
                merging_accounts.subjects_of(one), merging_accounts.subjects_of(survivor), strict=True
            ):
                self._count(old, new)
        for decision in merging_accounts.lines(survivor, gone, settled, by, known=known):
            self._note(self._facts.now, decision)
        self.diary.wake(self._facts.now, Reason.OUTRANKED, (), (survivor,))
        self._give_places_back([survivor])

    def _count_on(self, gone: UUID, survivor: UUID) -> None:
        """What was counted of a former id counts for the one who stays."""
        self._count(f"contact:{gone}", f"contact:{survivor}")
        if asked := self._last_asked.pop(gone, None):
            self._last_asked[survivor] = max(asked, self._last_asked.get(survivor, asked))

    def _count(self, old: str, new: str) -> None:
        """What was counted of one subject counts for another."""
        tallies = self.diary.book.tallies
        for key in self._editions:
            seen = tallies.pop((key, old), 0)
            if seen:
                tallies[key, new] = tallies.get((key, new), 0) + seen

    def _edition_of(self, plan: Plan) -> Edition:
        return self._editions[plan.programme]

    def _world(self) -> World:
        now, people = self._facts.now, self.people.contacts
        return World((), self._organisation, now, people, self._catalogue, self._last_asked)

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
            for decision in begin_series([account], self._world(), book):
                self._say(decision)
        if self._catalogue.concerned(kind, dated=told.renewal_on is not None):
            self._decide(Occurrence(kind, event_id, told, account, folk))
        else:
            self.unmatched += 1
        if book.changed:
            changed = [plan for plan in self.diary.take() if plan.id not in self._fresh]
            self._wake_outranked(changed)
            keeping = self._catalogue.keeping
            self._give_places_back(plan.account_id for plan in changed if plan.programme in keeping)
            self._fresh.clear()

    def _decide(self, event: Occurrence) -> None:
        book = self.diary.book
        decisions = plan_surveys(event, self._world(), book)
        if decisions[0].reason is Reason.NOT_MATCHED:
            self.unmatched += 1
        else:
            for decision in decisions:
                self._say(decision)
        for edition in self._catalogue.by_type.get(event.type, ()):
            for plan in called_off(event, edition, book):
                self._recall(survey_id_of(plan.id), Reason.CANCELLED)

    def _say(self, decision: Decision) -> None:
        """Note what planning decided; a plan that is new cannot have kept anybody waiting."""
        if decision.outcome is Outcome.PLANNED and decision.reason is None and decision.plan_id:
            self._fresh.add(decision.plan_id)
        self._note(self._facts.now, decision)

    def _wake_outranked(self, plans: Sequence[Plan]) -> None:
        """Whoever waited for a more important question that was called off, moved or left out may ask."""
        real = [plan for plan in plans if not plan.shadow]
        contacts = dict.fromkeys(plan.contact_id for plan in real if plan.contact_id)
        accounts = dict.fromkeys(p.account_id for p in real if p.account_id and not p.contact_id)
        self.diary.wake(self._facts.now, Reason.OUTRANKED, contacts, accounts)

    def _side_effects(self, kind: str, told: Touchpoint, account: Account | None, folk: Folk) -> None:
        """Holds, who takes part in what, and erasures."""
        parties, now = self._parties, self._facts.now
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
        self._parties.forget(contact_id)
        for plan in list(self.diary.pending_of(contact_id)):
            self.diary.put(altered(plan, state=PlanState.CANCELLED, reason=Reason.ERASED))
            self._note(self._facts.now, of_plan(plan, Outcome.CANCELLED, Reason.ERASED, {}))
            self._give_places_back([plan.account_id])
        self._give_places_back([home])
        for survey_id in self.diary.open_of(contact_id):
            self._recall(survey_id, Reason.ERASED)

    def _recall(self, survey_id: UUID, reason: Reason) -> None:
        """Nobody is reminded of a survey any more."""
        ask = self.diary.close(survey_id)
        line = of_recall(ask, reason) if ask else None
        if line:
            self._note(self._facts.now, line)

    def _due(self) -> None:
        """Everything that is due now, until nothing is."""
        while self._due_plans() or self._due_reminders():
            pass

    def _due_plans(self) -> bool:
        due = self.diary.due_plans(self._facts.now)
        if not due:
            return False
        done = _Round()
        for plan in due:
            if plan.contact_id is None:
                self._expand(plan, done)
        self._pass([plan for plan in due if plan.contact_id], done)
        for plan in due:
            if plan.programme in self._series and leads(plan, self._editions[plan.programme]):
                self._go_on(plan, done)
        self._enter(done)
        return True

    def _expand(self, parent: Plan, done: _Round) -> None:
        """Resolve an audience into one plan a person."""
        edition, facts = self._editions[parent.programme], self._facts
        people = self._parties.crowd(parent, edition, self.people, facts.now)
        crowd = Crowd(people, self.people.accounts, self._last_asked)
        children = 0
        for plan, decision in expand(parent, edition, crowd, self._organisation, facts.now):
            done.said.append(decision)
            if plan is not None:
                done.fresh.append(plan)
                children += 1
        if children:
            done.settled.append(altered(parent, state=PlanState.EXPANDED))
            return
        if parent.programme in self._catalogue.keeping:
            done.served.add(parent.account_id)
        reason = Reason.NOT_IN_AUDIENCE
        done.settled.append(altered(parent, state=PlanState.SUPPRESSED, reason=reason))
        nobody = {"why": "nobody of the account is in the audience"}
        done.said.append(of_plan(parent, Outcome.SUPPRESSED, reason, nobody))

    def _pass(self, due: Sequence[Plan], done: _Round) -> None:
        """Pass plans through the gate, the most important first, so that they take what caps leave."""
        facts = self._facts
        facts.rivals = self._rivals(due)
        facts.awaited = self._awaited(due) if self._catalogue.keeping else {}
        ordered = in_turn(due, self._edition_of, facts) if len(due) > 1 else due
        for plan in ordered:
            edition = self._editions[plan.programme]
            facts.holds = self._parties.holds_on(plan.account_id)
            decision = gate.decide(plan, edition, facts)
            done.said.append(decision)
            after = gate.settled(plan, decision)
            done.settled.append(after)
            if facts.awaited and gate.serves(after, edition, facts):
                done.served.add(after.account_id)
            if decision.outcome is Outcome.REQUESTED:
                self._ask(plan, edition)
            elif decision.outcome is Outcome.SHADOW:
                facts.passed(reservation(plan, edition, facts.now, facts.now), plan)
            if facts.awaited:
                facts.decided(after)

    def _awaited(self, due: Sequence[Plan]) -> dict[tuple[str, UUID], Crew]:
        """What is ahead at the accounts of due plans, where a place may have to be kept for one of them."""
        found: dict[tuple[str, UUID], Crew] = {}
        number = Counter(plan.account_id for plan in due)
        for plan in due:
            edition, account_id = self._editions[plan.programme], plan.account_id
            if account_id is None or not edition.programme.keeps_places:
                continue
            if gate.crowded(plan, edition, self._facts, number[account_id]):
                found[plan.programme, account_id] = self._crew(account_id, edition)
        return found

    def _crew(self, account_id: UUID, edition: Edition) -> Crew:
        planned = (*self.diary.about(account_id), *self.diary.anywhere())
        ahead = [plan for plan in planned if plan.programme == edition.key]
        crew = {plan.id: plan for plan in ahead if plan.contact_id}
        for parent in ahead:
            if parent.contact_id is None:
                people = self._parties.crowd(parent, edition, self.people, self._facts.now)
                crowd = Crowd(people, self.people.accounts)
                for child in foreseen(parent, edition, crowd, self._organisation):
                    if child.account_id == account_id:
                        crew.setdefault(child.id, child)
        return crew

    def _rivals(self, due: Sequence[Plan]) -> Mapping[UUID, Sequence[gate.Rival]]:
        """Other plans of the people whose plans are due, as they stand before any of these is decided."""
        facts, until = self._facts, self._facts.now + MEMORY
        found: dict[UUID, list[gate.Rival]] = {}
        looked: set[UUID] = set()
        for plan in due:
            contact_id, priority = plan.contact_id, plan.priority
            if contact_id is None:
                continue
            pending = self.diary.pending_of(contact_id)
            # What is not more important than any plan of its person that is due keeps nobody waiting.
            if len(pending) > 1 and contact_id not in looked and _above(pending, priority):
                looked.add(contact_id)
                found[contact_id] = [*self._own_rivals(pending, until), *found.get(contact_id, ())]
            for audience in self.diary.audiences_of(plan.account_id):
                if audience.priority > priority and audience.due_at < until:
                    edition = self._editions[audience.programme]
                    part = self._parties.part(audience, edition, contact_id, facts.now)
                    rival = gate.rival_of(audience, plan, edition, facts, part)
                    if rival:
                        found.setdefault(contact_id, []).append(rival)
        return found

    def _own_rivals(self, pending: Iterable[Plan], until: datetime) -> Iterator[gate.Rival]:
        for plan in pending:
            edition = self._editions[plan.programme]
            waits = plan.shadow or plan.waits_for in _HELD_BACK
            if plan.due_at < until and not waits and edition.state is ProgrammeState.ACTIVE:
                rules = edition.programme.quarantine
                yield gate.Rival(
                    plan.id, plan.programme, plan.priority, plan.due_at, rules.contact, exempt=rules.exempt
                )

    def _ask(self, plan: Plan, edition: Edition) -> None:
        """Reserve a survey's place, and enter its first reminder."""
        facts = self._facts
        assert plan.contact_id is not None  # noqa: S101 - only people pass the gate
        contact = self.people.contacts[plan.contact_id]
        zone = place_of(contact, facts.account_of(plan), self._organisation).zone
        closes_at = add_span(facts.now, edition.programme.send.open_for, zone)
        placed = reservation(plan, edition, facts.now, closes_at)
        reminder = reminder_at(placed, edition, contact, self._organisation)
        ask = altered(placed, handed_over_at=facts.now, next_step_at=reminder)
        facts.passed(ask, plan)
        self._last_asked[plan.contact_id] = facts.now
        self.diary.remind(ask)

    def _go_on(self, plan: Plan, done: _Round) -> None:
        """The next plan of a series whose plan came due."""
        contact = self.people.contacts.get(plan.contact_id) if plan.contact_id else None
        account = self.people.accounts.get(plan.account_id) if plan.account_id else None
        ahead = following(plan, self._editions[plan.programme], contact, account, self._world())
        if ahead:
            facts = {"due_at": ahead.due_at.isoformat(), "touchpoint": ahead.moment.touchpoint}
            done.fresh.append(ahead)
            done.said.append(of_plan(ahead, Outcome.PLANNED, None, facts, until=ahead.due_at))

    def _enter(self, done: _Round) -> None:
        diary, note, now = self.diary, self._note, self._facts.now
        known = {plan.id for plan in done.fresh if plan.id in diary.book.plans}
        self._give_places_back(done.served)
        for plan in done.settled:
            diary.put(plan)
        for plan in done.fresh:
            if plan.id not in known:
                diary.put(plan)
        for decision in done.said:
            if not known or decision.plan_id not in known:
                note(now, decision)
        fallen = [plan for plan in done.settled if plan.state in _FALLEN]
        if fallen:
            self._wake_outranked(fallen)

    def _due_reminders(self) -> bool:
        facts = self._facts
        due = self.diary.due_reminders(facts.now)
        for ask in due:
            if ask.closes_at < facts.now:
                self.diary.close(ask.survey_id)  # its time was over before this reminder came due
                continue
            self._remind(ask)
        return bool(due)

    def _remind(self, ask: Ask) -> None:
        edition, facts = self._editions[ask.programme], self._facts
        facts.holds = self._parties.holds_on(ask.account_id)
        decision = gate.decide_reminder(ask, edition, facts)
        contact = self.people.contacts[ask.contact_id]
        self._note(facts.now, decision)
        self.diary.remind(after_reminder(ask, decision, edition, contact, self._organisation))


def _above(plans: Iterable[Plan], priority: int) -> bool:
    return any(plan.priority > priority for plan in plans)


def _again(edition: Edition) -> bool:
    return edition.programme.when.recurring or edition.programme.when.by_hand
