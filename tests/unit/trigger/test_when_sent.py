"""When a question really leaves: plan and gate together, in any zone, around clock changes and holidays.

Never early; outside the window only where the programme says so; late only while the moment is fresh.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.trigger.domain.audience import Person
from services.trigger.domain.book import Book, World
from services.trigger.domain.decisions import Occurrence
from services.trigger.domain.expanding import Crowd, expand
from services.trigger.domain.facts import Facts
from services.trigger.domain.gate import decide
from services.trigger.domain.model import Account, Contact, Moment, Plan, PlanState, place_of
from services.trigger.domain.moments import moment_of
from services.trigger.domain.planning import plan_surveys
from services.trigger.domain.programme import Edition
from services.trigger.domain.series import begin_series, following
from services.trigger.domain.timing import WEEKDAYS, add_span, days_before
from shared.calendars import is_holiday
from shared.contracts.reasons import Outcome
from shared.windows import ACCEPTABLE, Window
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ORGANISATION, crowd, edition, touchpoint

ZONES = sorted(zone for zone in available_timezones() if "/" in zone)
DELAYS = st.sampled_from(["1h", "24h", "1d", "14d", "1mo", "6mo", "1y"])
FRESH = st.sampled_from(["6h", "1d", "3d", "10d", "30d"])
WINDOWS = st.fixed_dictionaries(
    {
        "days": st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
        "hours": st.sampled_from(["00:00-24:00", "02:00-03:00", "08:00-20:00", "09:30-16:00", "23:00-24:00"]),
        "holidays": st.sampled_from(["recipient", "ignore"]),
        "outside_before_stale": st.booleans(),
    }
)


@st.composite
def around_clock_changes(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and an instant within two days of a clock change there, where it has one in that year."""
    name, year = draw(st.sampled_from(ZONES)), draw(st.integers(2020, 2040))
    zone, first = ZoneInfo(name), datetime(year, 1, 1, tzinfo=UTC)
    noons = [first + timedelta(days=day) for day in range(365)]
    offsets = [at.astimezone(zone).utcoffset() for at in noons]
    changes = [noons[day] for day in range(364) if offsets[day] != offsets[day + 1]]
    around = draw(st.sampled_from(changes)) if changes else draw(st.sampled_from(noons))
    return name, around + timedelta(minutes=draw(st.integers(-2880, 2880)))


def planned(of: Edition, contact: Contact, at: datetime) -> Plan:
    book = Book()
    event = Occurrence("order.delivered", "e", touchpoint(at), ACME, (Person(contact),))
    plan_surveys(event, World((of,), ORGANISATION, at), book)
    (plan,) = book.plans.values()
    return plan


def sent(plan: Plan, of: Edition, contact: Contact, account: Account = ACME) -> datetime | None:
    """When the gate lets a plan pass that is looked at whenever it is due; None when it is dropped."""
    for _ in range(100):
        facts = Facts(
            plan.due_at, ORGANISATION, contacts={contact.id: contact}, accounts={account.id: account}
        )
        decision = decide(plan, of, facts)
        if decision.outcome is Outcome.REQUESTED:
            return plan.due_at
        if decision.outcome is not Outcome.DEFERRED:
            return None
        assert decision.until is not None
        assert decision.until > plan.due_at
        plan = replace(plan, due_at=decision.until)
    raise AssertionError("it waits for ever")


def inside(at: datetime, window: Window, contact: Contact, account: Account = ACME) -> bool:
    place = place_of(contact, account, ORGANISATION)
    here = at.astimezone(place.zone)
    minute = here.hour * 60 + here.minute
    closed = window.skip_holidays and is_holiday(place.country, here.date())
    return here.weekday() in window.days and window.opens <= minute < window.closes and not closed


@pytest.mark.requirement("R46", "R47")
@given(around_clock_changes(), DELAYS, FRESH, WINDOWS, st.booleans())
def test_never_early_never_stale_and_outside_its_window_only_where_the_programme_says_so(
    where: tuple[str, datetime], delay: str, fresh: str, window: dict[str, Any], known_zone: bool
) -> None:
    name, at = where
    of = edition(when__delay=delay, when__fresh_for=fresh, send__window=window)
    contact = replace(ANNA, zone=name if known_zone else "")
    plan = planned(of, contact, at)
    zone = place_of(contact, ACME, ORGANISATION).zone
    assert zone == ZoneInfo(name if known_zone else ORGANISATION.zone)
    wanted = add_span(at, of.programme.when.delay, zone)
    leaves = sent(plan, of, contact)
    rule = of.programme.send.rule
    assert rule is not None
    if leaves is None:
        return
    assert leaves >= wanted
    assert leaves < plan.stale_at
    if not inside(leaves, rule, contact):
        assert window["outside_before_stale"]
        assert inside(leaves, ACCEPTABLE, contact)


@given(around_clock_changes(), WINDOWS)
def test_with_time_enough_it_leaves_inside_its_window(
    where: tuple[str, datetime], window: dict[str, Any]
) -> None:
    name, at = where
    of = edition(when__fresh_for="30d", send__window=window)
    contact = replace(ANNA, zone=name)
    leaves = sent(planned(of, contact, at), of, contact)
    rule = of.programme.send.rule
    assert rule is not None
    # In the one hour that a clock change leaves out there is no window on that day, but there is on others.
    assert leaves is not None
    assert inside(leaves, rule, contact)


@pytest.mark.parametrize(
    ("region", "zone", "day"),
    [
        ("DE-BY", "Europe/Berlin", 7),  # Epiphany is a holiday in Bavaria
        ("DE-BE", "Europe/Berlin", 6),  # and none in Berlin
        ("DE", "Europe/Berlin", 6),
        ("DE-BY", "Europe/Stockholm", 7),  # a holiday in all of Sweden, where the person is
        ("DE-BY", "Europe/London", 6),  # the person's own country counts, not the account's region
        ("ES-CT", "", 7),  # nothing is known of the person but the account's region
    ],
)
def test_regional_holidays_are_those_of_the_recipient(region: str, zone: str, day: int) -> None:
    of = edition(send__window={"days": ["mon", "tue", "wed", "thu", "fri"], "hours": "09:00-17:00"})
    contact, account = replace(ANNA, zone=zone), replace(ACME, region=region)
    at = datetime(2026, 1, 6, 11, 0, tzinfo=UTC)
    plan = replace(planned(of, contact, at - timedelta(hours=2)), account_id=account.id)
    leaves = sent(plan, of, contact, account)
    assert leaves is not None
    assert leaves.day == day


@st.composite
def around_ends_of_months(draw: st.DrawFn) -> datetime:
    """An instant within two days of the end of a month, whose length then depends on the zone."""
    first = datetime(draw(st.integers(2020, 2040)), draw(st.integers(1, 12)), 1, tzinfo=UTC)
    return first + timedelta(minutes=draw(st.integers(-2880, 2880)))


INSTANTS = st.one_of(around_clock_changes().map(lambda found: found[1]), around_ends_of_months())


@given(INSTANTS, st.sampled_from(ZONES), st.sampled_from(ZONES), DELAYS)
@example(datetime(2026, 2, 28, 18, tzinfo=UTC), "Europe/Stockholm", "Australia/Sydney", "6mo")
def test_an_audience_is_looked_up_before_anybody_in_it_is_due(
    at: datetime, home: str, office: str, delay: str
) -> None:
    """Whatever the zones of the organisation and of each person, at the end of a month too."""
    for of in (
        edition(when__delay=delay, when__fresh_for="6h", audience={"who": "account"}),
        edition(
            when={"every": "1mo", "anchor": "order.delivered", "per": "account", "fresh_for": "9d"},
            audience={"who": "account"},
        ),
    ):
        moment = Moment(touchpoint="order.delivered", at=at, period=of.programme.when.recurring * 3)
        organisation, anna = replace(ORGANISATION, zone=office), replace(ANNA, zone=home)
        resolved, over = moment_of(of, moment, None, ACME, organisation)
        due, stale = moment_of(of, moment, anna, ACME, organisation)
        assert resolved <= due
        assert due - resolved < timedelta(days=5), "and not long before"
        assert stale <= over, "it is not given up before everybody's moment is over"


RENEWAL = {
    "when": {"before": "contract.renewal_date", "by": "60d", "per": "contract", "fresh_for": "30d"},
    "audience": {"who": "account"},
}


@pytest.mark.requirement("R35")
@given(st.sampled_from(ZONES), st.lists(st.integers(70, 400), min_size=1, max_size=6))
def test_a_date_that_moves_is_asked_about_once_by_where_it_came_to_rest(zone: str, moves: list[int]) -> None:
    of, book = edition(**RENEWAL), Book()
    anna = replace(ANNA, zone=zone)
    for number, ahead in enumerate(moves):
        at = NOW + timedelta(hours=number)
        day = (NOW + timedelta(days=ahead)).date()
        told = touchpoint(at, renewal_on=day, subject={"kind": "contract", "id": "k"})
        event = Occurrence("contract.renewal_date_set", f"e{number}", told, ACME, ())
        plan_surveys(event, World((of,), ORGANISATION, at), book)
    (parent,) = book.plans.values()
    assert parent.state is PlanState.PENDING
    ((child, _),) = expand(parent, of, crowd(anna), ORGANISATION, parent.due_at)
    assert child is not None
    rests = (NOW + timedelta(days=moves[-1])).date()
    assert parent.due_at <= child.due_at == days_before(rests, of.programme.when.by, ZoneInfo(zone))
    assert child.stale_at.astimezone(ZoneInfo(zone)).date() <= rests + timedelta(days=1)
    assert child.stale_at <= parent.stale_at


@given(st.sampled_from(ZONES), st.dates(date(2020, 1, 1), date(2039, 12, 31)))
def test_a_series_reaches_everybody_once_a_period_wherever_they_are(zone: str, start: date) -> None:
    of = edition(
        family="relationship",
        when={"every": "3mo", "anchor": "account.start", "per": "account", "fresh_for": "21d"},
        audience={"who": "account"},
    )
    account = replace(ACME, started_on=start)
    now = datetime(start.year, start.month, start.day, tzinfo=UTC)
    book, anna = Book(), replace(ANNA, zone=zone)
    list(begin_series([account], World((of,), ORGANISATION, now), book))
    (parent,) = book.plans.values()
    dues: list[datetime] = []
    for _ in range(4):
        found = expand(parent, of, Crowd([Person(anna)], {account.id: account}), ORGANISATION, parent.due_at)
        dues += [plan.due_at for plan, _ in found if plan]
        ahead = following(parent, of, None, account, World((of,), ORGANISATION, parent.due_at))
        assert ahead is not None
        parent = ahead
    assert len(dues) == 4
    assert all(timedelta(days=85) < b - a < timedelta(days=97) for a, b in pairwise(dues))
    assert all(due.astimezone(ZoneInfo(zone)).hour >= 8 for due in dues)
