"""What a simulation found, in numbers that add up: shares of a history are counted apart and added."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.trigger.domain.backtest.alike import Alike
from services.trigger.domain.backtest.people import People
from services.trigger.domain.backtest.report import Heaviest
from services.trigger.domain.backtest.tally import Counted, Segment, Tally
from services.trigger.domain.model import Plan, PlanState
from shared.contracts.reasons import Reason

MONTH = timedelta(days=30)
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Ran:
    """A set of programmes after its simulation, or after that of a share of its history.

    Attributes:
        alike: what every share decides alike; None where there is one share.
    """

    name: str
    tally: Tally
    people: People
    plans: Iterable[Plan]
    unmatched: int
    alike: Alike | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """How often some of those known were asked.

    Attributes:
        known: how many there are, asked or not.
        times: how many of them were asked so many times.
        heaviest: whom most, the first of them all.
    """

    known: int = 0
    times: Counter[int] = field(default_factory=Counter)
    heaviest: tuple[Heaviest, ...] = ()

    def __add__(self, other: Asked) -> Asked:
        """Of both, who are different ones."""
        return Asked(
            self.known + other.known,
            self.times + other.times,
            _most([*self.heaviest, *other.heaviest]),
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of a set of programmes; the counters are those of `Tally`.

    Attributes:
        unmatched: events that no programme wanted.
        waiting: plans that wait at the end, by programme.
        nobody: plans that found nobody in this share, by id, and how that counts when no share finds anybody.
    """

    name: str
    zone: ZoneInfo
    begins: datetime
    ends: datetime
    unmatched: int
    waiting: Counter[str]
    decided: Counter[Counted]
    waited: Counter[tuple[str, Reason]]
    sent: Mapping[date, Counter[str]]
    reminded: Counter[date]
    of_segment: Counter[Segment]
    people: Asked
    accounts: Asked
    nobody: Mapping[UUID, Counted]

    def __add__(self, other: Counts) -> Counts:
        """Of both shares."""
        days = self.sent.keys() | other.sent.keys()
        none: Counter[str] = Counter()
        return replace(
            self,
            unmatched=self.unmatched + other.unmatched,
            waiting=self.waiting + other.waiting,
            decided=self.decided + other.decided,
            waited=self.waited + other.waited,
            sent={day: self.sent.get(day, none) + other.sent.get(day, none) for day in days},
            reminded=self.reminded + other.reminded,
            of_segment=self.of_segment + other.of_segment,
            people=self.people + other.people,
            accounts=self.accounts + other.accounts,
            nobody={plan_id: how for plan_id, how in self.nobody.items() if plan_id in other.nobody},
        )


def counted(ran: Ran) -> Counts:
    """What is to be said of a simulation, without what it was worked out from."""
    tally, alike = ran.tally, ran.alike
    waiting = (p for p in ran.plans if p.state is PlanState.PENDING)
    return Counts(
        name=ran.name,
        zone=tally.zone,
        begins=tally.begins,
        ends=tally.ends,
        unmatched=ran.unmatched,
        waiting=Counter(p.programme for p in waiting if alike is None or alike.counts(p.id)),
        decided=tally.decided,
        waited=tally.waited,
        sent=tally.sent,
        reminded=tally.reminded,
        of_segment=tally.of_segment,
        people=_people(ran),
        accounts=_accounts(ran),
        nobody=alike.nobody if alike else {},
    )


def whole(found: Counts) -> Counts:
    """All shares, added: a plan for which none of them found anybody counts once."""
    return replace(found, decided=found.decided + Counter(found.nobody.values()), nobody={})


def _people(ran: Ran) -> Asked:
    people = ran.people

    def whose(contact_id: UUID) -> tuple[str, str]:
        home = people.contacts[contact_id].account_id
        account = people.accounts.get(home) if home else None
        return people.label(contact_id), account.external_id if account else ""

    asked: dict[UUID, list[datetime]] = {}
    for contact_id, times in ran.tally.of_contact.items():
        asked.setdefault(people.current(contact_id), []).extend(times)
    present = {one.id for one in people.contacts.values() if not one.erased_at and not one.merged_into}
    return _asked(asked, len(present | asked.keys()), whose)


def _accounts(ran: Ran) -> Asked:
    people = ran.people

    def whose(account_id: UUID) -> tuple[str, str]:
        account = people.accounts[account_id]
        return account.external_id, account.name

    asked: dict[UUID, list[datetime]] = {}
    for account_id, times in ran.tally.of_account.items():
        asked.setdefault(people.home(account_id), []).extend(times)
    known = sum(one.merged_into is None for one in people.accounts.values())
    return _asked(asked, known, whose)


def _asked(
    asked: Mapping[UUID, Sequence[datetime]], known: int, whose: Callable[[UUID], tuple[str, str]]
) -> Asked:
    counts = sorted(map(len, asked.values()), reverse=True)
    fewest = counts[:SHOWN][-1] if counts else 0
    most = [
        Heaviest(name=name, account=account, invitations=len(times), within_30_days=_densest(times))
        for one, times in asked.items()
        if len(times) >= fewest
        for name, account in (whose(one),)
    ]
    return Asked(known, Counter(counts), _most(most))


def _most(every: Iterable[Heaviest]) -> tuple[Heaviest, ...]:
    """Whom most, in an order that does not hang on the order in which they were met."""
    ordered = sorted(every, key=lambda one: (-one.invitations, one.name, one.account, -one.within_30_days))
    return tuple(ordered[:SHOWN])


def _densest(times: Sequence[datetime]) -> int:
    """The most moments that lie within any thirty days."""
    ordered = sorted(times)
    return max(bisect_left(ordered, at + MONTH) - place for place, at in enumerate(ordered))
