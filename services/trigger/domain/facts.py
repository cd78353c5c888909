"""What the gate is asked with: asks that count, plans that compete, brakes, and whoever is around a plan."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from services.trigger.domain.best_moment import Learned
from services.trigger.domain.model import (
    Account,
    Ask,
    AskState,
    Contact,
    Hold,
    Organisation,
    Plan,
    PlanState,
    place_of,
)
from services.trigger.domain.places import Crew
from services.trigger.domain.timing import Span, at_most
from shared.contracts.model import Family
from shared.values import Value
from shared.windows import Place


@dataclass(frozen=True, slots=True)
class Brakes:
    """What an operator stopped: everything, some programmes, some accounts."""

    all_sending: bool = False
    programmes: frozenset[str] = frozenset()
    accounts: frozenset[UUID] = frozenset()

    def on(self, programme: str, account_id: UUID | None) -> str:
        """Which brake holds a plan; "" = none."""
        if self.all_sending:
            return "all sending"
        if programme in self.programmes:
            return f"programme {programme}"
        return "account" if account_id in self.accounts else ""


class Rival(Value, frozen=True):
    """Another plan of the same person that waits for its turn.

    `apart`: for how long nothing of its own `family` may have been asked before, if that is told.
    `opt_in`: it asks only who said yes.
    `resolved_at`: when it will be known whether it comes to anything, and who waits for it looks again.
    """

    plan_id: UUID
    programme: str
    priority: int
    due_at: datetime
    quarantine: Span
    exempt: bool = False
    resolved_at: datetime | None = None
    family: Family | None = None
    apart: Span | None = None
    opt_in: bool = False


_asked_at = attrgetter("asked_at")


class Asks:
    """Asks that use up quarantine and budget, by person and by company, oldest first.

    Those that never reached the person are left out.
    """

    def __init__(self, asks: Iterable[Ask] = ()) -> None:
        self._of_contact: dict[UUID, list[Ask]] = {}
        self._of_account: dict[UUID, list[Ask]] = {}
        for ask in asks:
            self.add(ask)

    def add(self, ask: Ask) -> None:
        """Count one more."""
        recalled_in_time = ask.state is AskState.CANCELLED and ask.handed_over_at is None
        if ask.released_at is not None or ask.state is AskState.RELEASED or recalled_in_time:
            return
        _place(self._of_contact, ask.contact_id, ask)
        if ask.account_id is not None:
            _place(self._of_account, ask.account_id, ask)

    def move(self, gone: UUID, survivor: UUID) -> None:
        """What somebody was asked under a former id counts for the one who stays."""
        for ask in self._of_contact.pop(gone, ()):
            _place(self._of_contact, survivor, ask)

    def move_account(self, gone: UUID, survivor: UUID) -> None:
        """What was asked at a former account counts for the one that stays."""
        for ask in self._of_account.pop(gone, ()):
            _place(self._of_account, survivor, ask)

    def of_contact(self, contact_id: UUID | None) -> Sequence[Ask]:
        """A person's."""
        return self._of_contact.get(contact_id, ()) if contact_id else ()

    def of_account(self, account_id: UUID | None) -> Sequence[Ask]:
        """A company's."""
        return self._of_account.get(account_id, ()) if account_id else ()


def since(asks: Sequence[Ask], span: Span, now: datetime) -> Sequence[Ask]:
    """Those that may lie less than a span back; the calendar decides about the first of them."""
    if not asks:
        return asks
    begin = now - at_most(span)
    if asks[-1].asked_at < begin:
        return ()
    if asks[0].asked_at >= begin:
        return asks
    return asks[bisect_left(asks, begin, key=_asked_at) :]


def _place(index: dict[UUID, list[Ask]], key: UUID, ask: Ask) -> None:
    """Enter an ask in its order of time, which mostly is the end."""
    asks = index.get(key)
    if asks is None:
        index[key] = [ask]
    elif asks[-1].asked_at <= ask.asked_at:
        asks.append(ask)
    else:
        insort(asks, ask, key=_asked_at)


@dataclass(slots=True)
class Facts:
    """What the gate looks at, for all plans of one claimed batch; asks grow as plans pass.

    `would_be`: what programmes in shadow would have asked, by programme; it counts for that programme alone.
    `learned`: when people answer, by kind of people. `awaited`: plans that are ahead, by programme and
    account, where a place of the budget may have to be kept for one of them.
    """

    now: datetime
    organisation: Organisation
    own_domains: frozenset[str] = frozenset()
    brakes: Brakes = field(default_factory=Brakes)
    contacts: Mapping[UUID, Contact] = field(default_factory=dict)
    accounts: Mapping[UUID, Account] = field(default_factory=dict)
    asks: Asks = field(default_factory=Asks)
    would_be: dict[str, Asks] = field(default_factory=dict)
    learned: Mapping[str, Learned] = field(default_factory=dict)
    holds: Sequence[Hold] = ()
    rivals: Mapping[UUID, Sequence[Rival]] = field(default_factory=dict)
    awaited: dict[tuple[str, UUID], Crew] = field(default_factory=dict)
    _around: tuple[Plan, Contact | None, Account | None, Place] | None = field(
        default=None, init=False, repr=False
    )

    def contact_of(self, plan: Plan) -> Contact | None:
        """Whom a plan is about, as the directory knows them now."""
        around = self._around
        return around[1] if around is not None and around[0] is plan else self._look(plan)[1]

    def account_of(self, plan: Plan) -> Account | None:
        """Whose company."""
        around = self._around
        return around[2] if around is not None and around[0] is plan else self._look(plan)[2]

    def place_of(self, plan: Plan) -> Place:
        """Where its person is."""
        around = self._around
        return around[3] if around is not None and around[0] is plan else self._look(plan)[3]

    def _look(self, plan: Plan) -> tuple[Plan, Contact | None, Account | None, Place]:
        """What is around a plan, kept until another one is looked at: each step of the gate asks for it."""
        contact = self.contacts.get(plan.contact_id) if plan.contact_id else None
        account = self.accounts.get(plan.account_id) if plan.account_id else None
        place = place_of(contact, account, self.organisation)
        around = self._around = (plan, contact, account, place)
        return around

    def asked_of_contact(self, plan: Plan) -> Sequence[Ask]:
        """Asks that count for a plan's person."""
        shadow = self.would_be.get(plan.programme) if plan.shadow else None
        real = self.asks.of_contact(plan.contact_id)
        return sorted([*real, *shadow.of_contact(plan.contact_id)], key=_asked_at) if shadow else real

    def asked_of_account(self, plan: Plan) -> Sequence[Ask]:
        """Asks that count for a plan's company."""
        shadow = self.would_be.get(plan.programme) if plan.shadow else None
        real = self.asks.of_account(plan.account_id)
        return sorted([*real, *shadow.of_account(plan.account_id)], key=_asked_at) if shadow else real

    def passed(self, ask: Ask, plan: Plan) -> None:
        """Count what just passed."""
        (self.would_be.setdefault(plan.programme, Asks()) if plan.shadow else self.asks).add(ask)

    def current(self, contact_id: UUID) -> Contact | None:
        """Somebody as the directory knows them now, whoever they were merged into."""
        contact = self.contacts.get(contact_id)
        while contact and contact.merged_into:
            contact = self.contacts.get(contact.merged_into)
        return contact

    def asked_by(self, programme: str, account_id: UUID) -> list[Ask]:
        """What a programme asked at an account, or would have."""
        kept = (self.asks, self.would_be.get(programme))
        found = (ask for asks in kept if asks for ask in asks.of_account(account_id))
        return [ask for ask in found if ask.programme == programme]

    def crew_of(self, plan: Plan) -> Crew | None:
        """What is ahead beside a plan, where a place may have to be kept."""
        if not self.awaited or plan.account_id is None:
            return None
        return self.awaited.get((plan.programme, plan.account_id))

    def decided(self, plan: Plan) -> None:
        """Look ahead on a plan as it is now that it was decided about."""
        crew = self.crew_of(plan)
        if crew is None:
            return
        if plan.state is PlanState.PENDING:
            crew[plan.id] = plan
        else:
            crew.pop(plan.id, None)
