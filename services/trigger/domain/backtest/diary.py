"""What is ahead in a backtest: plans and reminders by the moment at which the gate looks at them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from heapq import heappop, heappush
from itertools import chain, count
from typing import Final, TypeVar
from uuid import UUID

from services.trigger.domain.book import Book
from services.trigger.domain.model import Ask, Plan, PlanState
from services.trigger.domain.parties import abroad
from shared.contracts.reasons import Reason
from shared.values import altered

Ids = dict[UUID, None]
"""A set that keeps the order in which its members came, so that every run is the same."""

Plans = dict[UUID, Plan]
Member = TypeVar("Member")
Key = TypeVar("Key", UUID, str)
_NOTHING: Plans = {}

_Entry = tuple[float, int, UUID, datetime]
"""Something ahead: when, as a number that is compared sooner, in which order, what, and when again."""

_AT: Final = 3


class Diary:
    """All plans, found by person, company and time; and the reminders of surveys that are open.

    Entries of the time line are not taken out when a plan moves: one that no longer says what the plan says
    is passed over when its time comes.
    """

    def __init__(self) -> None:
        self.book = Book(at=self._running_at)
        self.open: dict[UUID, Ask] = {}
        self._ahead: list[_Entry] = []
        self._reminders: list[_Entry] = []
        self._number = count()
        self._of_contact: dict[UUID, Plans] = {}
        self._of_account: dict[UUID, Plans] = {}
        self._audiences: dict[UUID, Plans] = {}
        self._anywhere: Plans = {}
        self._abroad: dict[str, Plans] = {}
        self._held: dict[UUID, Ids] = {}
        self._open_of: dict[UUID, Ids] = {}
        self._open_at: dict[UUID, Ids] = {}
        self._ever: dict[UUID, Ids] | None = None

    def next_at(self) -> datetime | None:
        """When something is to be looked at next, as far as entries tell."""
        plans, reminders = self._ahead, self._reminders
        if not plans or (reminders and reminders[0] < plans[0]):
            return reminders[0][_AT] if reminders else None
        return plans[0][_AT]

    def take(self) -> list[Plan]:
        """Enter what planning has changed in the book."""
        changed = list(self.book.changed.values())
        self.book.changed.clear()
        for plan in changed:
            self._enter(plan)
        return changed

    def put(self, plan: Plan) -> None:
        """Enter one plan as it is now."""
        self.book.keep(plan)
        self._enter(plan)

    def due_plans(self, now: datetime) -> list[Plan]:
        """Plans to look at, each once; they leave the time line until they are put again."""
        ahead, plans = self._ahead, self.book.plans
        if not ahead or ahead[0][_AT] > now:
            return []
        found: dict[UUID, Plan] = {}
        while ahead and ahead[0][_AT] <= now:
            _, _, plan_id, at = heappop(ahead)
            plan = plans[plan_id]
            if plan.state is PlanState.PENDING and plan.due_at == at:
                found[plan_id] = plan
        return list(found.values())

    def due_reminders(self, now: datetime) -> list[Ask]:
        """Open surveys whose next reminder is due, in order of their ids."""
        reminders = self._reminders
        if not reminders or reminders[0][_AT] > now:
            return []
        found: dict[UUID, Ask] = {}
        while reminders and reminders[0][_AT] <= now:
            _, _, survey_id, at = heappop(reminders)
            ask = self.open.get(survey_id)
            if ask is not None and ask.next_step_at == at:
                found[survey_id] = ask
        return [found[key] for key in sorted(found)] if len(found) > 1 else list(found.values())

    def remind(self, ask: Ask) -> None:
        """Enter a survey's next reminder; one without a further reminder is closed here."""
        if ask.next_step_at is None:
            self.close(ask.survey_id)
            return
        self.open[ask.survey_id] = ask
        self._open_of.setdefault(ask.contact_id, {})[ask.survey_id] = None
        if ask.account_id:
            self._open_at.setdefault(ask.account_id, {})[ask.survey_id] = None
        if ask.waits_for is Reason.HELD and ask.account_id:
            self._held.setdefault(ask.account_id, {})[ask.survey_id] = None
        at = ask.next_step_at
        heappush(self._reminders, (at.timestamp(), next(self._number), ask.survey_id, at))

    def close(self, survey_id: UUID) -> Ask | None:
        """No more reminders of a survey; returns it when one was ahead."""
        ask = self.open.pop(survey_id, None)
        if ask is not None:
            _drop(self._open_of, ask.contact_id, survey_id)
            if ask.account_id:
                _drop(self._open_at, ask.account_id, survey_id)
        return ask

    def open_of(self, contact_id: UUID) -> list[UUID]:
        """Surveys of which a person is still to be reminded."""
        return list(self._open_of.get(contact_id, ()))

    def pending_of(self, contact_id: UUID) -> Collection[Plan]:
        """What is still planned for a person."""
        return self._of_contact.get(contact_id, _NOTHING).values()

    def audiences_of(self, account_id: UUID | None) -> Iterable[Plan]:
        """Plans for people of a company who are not yet known by name.

        Also those for people of no company in particular.
        """
        known = self._audiences.get(account_id, _NOTHING) if account_id else _NOTHING
        return chain(known.values(), self._anywhere.values()) if self._anywhere else known.values()

    @property
    def has_abroad(self) -> bool:
        """Whether there are plans in which people of other companies may be."""
        return bool(self._abroad)

    def audiences_abroad(self, subjects: Collection[str], account_id: UUID | None) -> Iterable[Plan]:
        """Plans for people of other companies than this who take part in something; not those in shadow."""
        known = (self._abroad.get(subject, _NOTHING).values() for subject in subjects)
        every = chain.from_iterable(known)
        return (plan for plan in every if plan.account_id != account_id and not plan.shadow)

    def anywhere(self) -> Collection[Plan]:
        """What is planned for people of no company in particular who are not yet known by name."""
        return self._anywhere.values()

    def all_of(self, contacts: Collection[UUID]) -> list[Plan]:
        """Everything that was ever planned for people."""
        if self._ever is None:
            self._ever = {}
            for plan in self.book.plans.values():
                self._remember(plan)
        ids = sorted({plan_id for contact_id in contacts for plan_id in self._ever.get(contact_id, ())})
        return [self.book.plans[plan_id] for plan_id in ids]

    def move(self, plans: Iterable[Plan], gone: Collection[UUID], survivor: UUID) -> None:
        """Plans and open surveys of several entries become those of one person."""
        for plan in plans:
            for contact_id in gone:
                _drop(self._of_contact, contact_id, plan.id)
            self.book.move(plan)
            del self.book.changed[plan.id]
            self._enter(plan)
        for contact_id in gone:
            for survey_id in list(self._open_of.get(contact_id, ())):
                ask = self.open[survey_id]
                self.close(survey_id)
                self.remind(altered(ask, contact_id=survivor))

    def about(self, account_id: UUID) -> Collection[Plan]:
        """What is still planned for an account and its people."""
        return self._of_account.get(account_id, _NOTHING).values()

    def _running_at(self, account_id: UUID) -> Iterable[Plan]:
        """What is planned for an account and its people, and what they were asked and are reminded of."""
        asked = (self.open[survey_id].plan_id for survey_id in self._open_at.get(account_id, ()))
        return chain(self.about(account_id), map(self.book.plans.__getitem__, asked))

    def move_accounts(self, plans: Iterable[Plan], gone: Collection[UUID], survivor: UUID) -> None:
        """Plans and open surveys of several accounts become those of one."""
        for plan in plans:
            for account_id in gone:
                _drop(self._of_account, account_id, plan.id)
                _drop(self._audiences, account_id, plan.id)
            self.book.move(plan)
            del self.book.changed[plan.id]
            self._enter(plan)
        for ask in [ask for ask in self.open.values() if ask.account_id in gone]:
            self.open[ask.survey_id] = altered(ask, account_id=survivor)
            self._open_at.setdefault(survivor, {})[ask.survey_id] = None
        for account_id in gone:
            self._open_at.pop(account_id, None)
            self._held.setdefault(survivor, {}).update(self._held.pop(account_id, {}))

    def wake(self, now: datetime, reason: Reason, contacts: Iterable[UUID], accounts: Iterable[UUID]) -> None:
        """Let plans that wait for something pass the gate again now, because it is over."""
        known = (
            *(self._of_contact.get(contact_id, _NOTHING) for contact_id in contacts),
            *(self._of_account.get(account_id, _NOTHING) for account_id in accounts),
        )
        every = (plan for plans in known for plan in plans.values())
        waiting = [plan for plan in every if plan.waits_for is reason and plan.due_at > now]
        for plan in waiting:
            self.put(altered(plan, due_at=max(plan.first_due_at, now)))

    def wake_reminders(self, now: datetime, account_id: UUID) -> None:
        """Let reminders that a hold of a company kept back pass the gate again now."""
        for survey_id in self._held.pop(account_id, ()):
            ask = self.open.get(survey_id)
            if ask is None or ask.waits_for is not Reason.HELD:
                continue
            if ask.next_step_at and ask.next_step_at > now:
                self.remind(altered(ask, next_step_at=now))

    def _remember(self, plan: Plan) -> None:
        if self._ever is not None and plan.contact_id:
            self._ever.setdefault(plan.contact_id, {})[plan.id] = None

    def _enter(self, plan: Plan) -> None:
        if self._ever is not None:
            self._remember(plan)
        plan_id, contact_id, account_id = plan.id, plan.contact_id, plan.account_id
        index = self._audiences if contact_id is None else self._of_contact
        key = contact_id or account_id
        if contact_id is None and (subject := abroad(plan)):
            self._enter_abroad(plan, subject)
        if plan.state is not PlanState.PENDING:
            if key is None:
                self._anywhere.pop(plan_id, None)
            else:
                _drop(index, key, plan_id)
            if account_id is not None:
                _drop(self._of_account, account_id, plan_id)
            return
        if key is None:
            self._anywhere[plan_id] = plan
        else:
            _list(index, key, plan)
        if account_id is not None:
            _list(self._of_account, account_id, plan)
        heappush(self._ahead, (plan.due_at.timestamp(), next(self._number), plan_id, plan.due_at))

    def _enter_abroad(self, plan: Plan, subject: str) -> None:
        if plan.state is PlanState.PENDING:
            _list(self._abroad, subject, plan)
        else:
            _drop(self._abroad, subject, plan.id)


def _list(index: dict[Key, Plans], key: Key, plan: Plan) -> None:
    plans = index.get(key)
    if plans is None:
        index[key] = {plan.id: plan}
    else:
        plans[plan.id] = plan


def _drop(index: dict[Key, dict[UUID, Member]], key: Key, member: UUID) -> None:
    members = index.get(key)
    if members is None:
        return
    members.pop(member, None)
    if not members:
        del index[key]
