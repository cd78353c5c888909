"""From touchpoints to plans: identity, audience, dates that move, events that call off."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trigger.domain.audience import Person, limited, meets, sampled
from services.trigger.domain.book import Book, World
from services.trigger.domain.decisions import Occurrence, context_of
from services.trigger.domain.expanding import expand
from services.trigger.domain.model import Contact, Decision, PlanState, identity
from services.trigger.domain.planning import called_off, plan_surveys
from services.trigger.domain.programme import Audience, Edition
from services.trigger.domain.when import Bound
from shared.contracts.model import Persona, Tier
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ORGANISATION, crowd, edition, touchpoint

PLAIN = edition()
LATER = NOW + timedelta(days=2)
RENEWAL = {
    "key": "renewal",
    "when": {"before": "contract.renewal_date", "by": "60d", "per": "contract", "fresh_for": "30d",
             "cancel_on": ["contract.renewed"]},
    "audience": {"who": "account", "persona": ["decision_maker"]},
}  # fmt: skip


def world(*editions: Edition, now: datetime = NOW) -> World:
    return World(editions or (PLAIN,), ORGANISATION, now)


def happened(
    kind: str = "order.delivered",
    told: Touchpoint | None = None,
    people: tuple[Person, ...] = (Person(ANNA),),
) -> Occurrence:
    return Occurrence(kind, "e1", told or touchpoint(), ACME, people)


def run(book: Book, event: Occurrence, *editions: Edition, now: datetime = NOW) -> list[tuple[str, str]]:
    return [_said(d) for d in plan_surveys(event, world(*editions, now=now), book)]


def _said(decision: Decision) -> tuple[str, str]:
    return decision.outcome.value, str(decision.reason or "")


@pytest.mark.requirement("R54")
def test_a_touchpoint_makes_a_plan_for_its_person() -> None:
    book = Book()
    assert run(book, happened()) == [("planned", "")]
    (plan,) = book.changed.values()
    assert (plan.due_at, plan.stale_at) == (NOW + timedelta(hours=2), NOW + timedelta(hours=2, days=3))
    assert (plan.contact_id, plan.account_id, plan.subject) == (ANNA.id, ACME.id, "order:o1")


def test_the_same_thing_is_planned_once_and_another_order_again() -> None:
    book = Book()
    assert run(book, happened()) == [("planned", "")]
    assert run(book, happened(told=touchpoint(NOW + timedelta(minutes=1)))) == [("not_matched", "duplicate")]
    assert run(book, happened(told=touchpoint(subject={"kind": "order", "id": "o2"}))) == [("planned", "")]
    assert len(book.plans) == 2


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(timedelta(minutes=5), ("planned", ""), id="within tolerance"),
        pytest.param(timedelta(minutes=5, seconds=1), ("not_matched", "filtered"), id="from the future"),
        pytest.param(timedelta(days=-3, hours=-2), ("not_matched", "expired"), id="just too old"),
        pytest.param(timedelta(days=-3, hours=-2, seconds=1), ("planned", ""), id="just fresh"),
    ],
)
def test_the_time_of_an_event_at_its_edges(after: timedelta, expected: tuple[str, str]) -> None:
    assert run(Book(), happened(told=touchpoint(NOW + after))) == [expected]


def test_an_unknown_event_is_not_matched_and_archived_programmes_plan_nothing() -> None:
    assert run(Book(), happened("odd.event")) == [("not_matched", "not_matched")]
    archived = replace(PLAIN, state=ProgrammeState.ARCHIVED)
    assert run(Book(), happened(), archived) == [("not_matched", "not_matched")]


def test_an_event_without_the_subject_that_is_counted_is_filtered() -> None:
    told = touchpoint(subject={"kind": "ticket", "id": "t"})
    (decision,) = plan_surveys(happened(told=told), world(), Book())
    assert decision.reason is Reason.FILTERED
    assert "names no order" in str(decision.inputs["why"])


def test_an_event_that_names_nobody_is_not_in_the_audience() -> None:
    assert run(Book(), happened(people=())) == [("not_matched", "not_in_audience")]


@pytest.mark.parametrize(
    ("where", "context", "fits"),
    [
        ({"plan": "pro"}, {"plan": "pro"}, True),
        ({"plan": ["pro", "enterprise"]}, {"plan": "free"}, False),
        ({"seats": {"gte": 5}}, {"seats": 5}, True),
        ({"seats": {"gte": 5}}, {"seats": 4}, False),
        ({"seats": {"gte": 5}}, {}, False),
        ({"seats": {"gte": 5}}, {"seats": "many"}, False),
        ({"trial": False}, {"trial": False}, True),
        ({"trial": False}, {"trial": 0}, False),
        ({"region": "SE"}, {}, True),
        ({"seats": "5"}, {"seats": 5}, True),
    ],
)
def test_where_filters_events(where: dict[str, Any], context: dict[str, Any], fits: bool) -> None:
    of = edition(when__where=where)
    expected = ("planned", "") if fits else ("not_matched", "filtered")
    assert run(Book(), happened(told=touchpoint(context=context)), of) == [expected]


def test_bounds_are_both_open_and_closed() -> None:
    assert meets(5, Bound(gt=4, lt=6))
    assert not meets(5, Bound(gt=5))
    assert not meets(5, Bound(lt=5))
    assert not meets(5, Bound(lte=4))
    assert not meets(True, Bound(gte=0))


@pytest.mark.requirement("R59", "R60", "R61")
@pytest.mark.parametrize(
    ("audience", "field"),
    [
        ({"role": ["receiver"]}, "role"),
        ({"persona": ["decision_maker"]}, "persona"),
        ({"job_function": ["admin"]}, "job_function"),
        ({"tier": ["key"]}, "tier"),
    ],
)
def test_the_audience_is_narrowed(audience: dict[str, Any], field: str) -> None:
    of = edition(audience=audience)
    (decision,) = plan_surveys(happened(), world(of), Book())
    assert (decision.reason, decision.inputs["field"]) == (Reason.NOT_IN_AUDIENCE, field)
    contact = replace(ANNA, persona=Persona.DECISION_MAKER, job_function="admin")
    fitting = Occurrence(
        "order.delivered", "e", touchpoint(), replace(ACME, tier=Tier.KEY), (Person(contact, "receiver"),)
    )
    assert run(Book(), fitting, of) == [("planned", "")]


def test_an_erased_person_is_not_planned() -> None:
    assert run(Book(), happened(people=(Person(replace(ANNA, erased_at=NOW)),))) == [
        ("not_matched", "erased")
    ]


def people(count: int) -> list[Person]:
    return [Person(Contact(id=identity("p", n), version=1, zone="UTC")) for n in range(count)]


def test_a_cap_per_account_and_event_takes_the_same_people_again() -> None:
    of = edition(audience={"max_per_account": 2})
    said = run(Book(), happened(people=tuple(people(5))), of)
    assert said.count(("planned", "")) == 2
    assert said.count(("not_matched", "sampled_out")) == 3
    chosen, _ = limited(of.programme.audience, people(5))
    assert limited(of.programme.audience, people(5)[::-1])[0] == chosen


def test_a_sample_is_about_its_share_and_stable() -> None:
    audience = Audience(sample=0.3)
    drawn = [sampled(audience, UUID(int=n)) for n in range(2000)]
    assert 500 < sum(drawn) < 700
    assert drawn == [sampled(audience, UUID(int=n)) for n in range(2000)]
    said = run(Book(), happened(people=tuple(people(50))), edition(audience={"sample": 0.01}))
    assert ("not_matched", "sampled_out") in said


def test_a_cancelling_event_calls_off_only_its_subject() -> None:
    book = Book()
    run(book, happened())
    run(book, happened(told=touchpoint(subject={"kind": "order", "id": "o2"})))
    returned = happened("order.returned", touchpoint(NOW + timedelta(hours=1)))
    assert run(book, returned, now=LATER) == [("cancelled", "cancelled")]
    assert sorted(p.state for p in book.plans.values()) == ["cancelled", "pending"]
    assert run(book, happened(told=touchpoint(NOW + timedelta(hours=2))), now=LATER) == [("planned", "")]


def test_an_older_cancelling_event_changes_nothing() -> None:
    book = Book()
    run(book, happened())
    returned = happened("order.returned", touchpoint(NOW - timedelta(hours=1)))
    assert run(book, returned) == [("not_matched", "not_matched")]


def test_a_requested_plan_is_named_for_recall() -> None:
    book = Book()
    run(book, happened())
    for plan in list(book.plans.values()):
        book.put(replace(plan, state=PlanState.REQUESTED))
    returned = happened("order.returned", touchpoint(NOW + timedelta(hours=1)))
    assert len(list(called_off(returned, PLAIN, book))) == 1
    assert list(called_off(happened(), PLAIN, book)) == []


def renewal(on: str, at: datetime = NOW) -> Occurrence:
    told = touchpoint(at, subject={"kind": "contract", "id": "k1"}, renewal_on=on)
    return happened("contract.renewal_date_set", told, ())


@pytest.mark.requirement("R35")
def test_a_renewal_plan_moves_with_its_date() -> None:
    of, book = edition(**RENEWAL), Book()
    assert run(book, renewal("2026-07-01"), of) == [("planned", "")]
    (first,) = book.plans.values()
    assert first.due_at.date() == date(2026, 5, 1)
    assert run(book, renewal("2026-08-01", NOW + timedelta(days=1)), of, now=LATER) == [
        ("planned", "superseded")
    ]
    (moved,) = book.plans.values()
    assert (moved.id, moved.moment.renewal_on) == (first.id, date(2026, 8, 1))
    assert run(book, renewal("2026-07-01"), of) == [("not_matched", "duplicate")]


@pytest.mark.requirement("R35")
@pytest.mark.parametrize(
    ("on", "expected"),
    [
        pytest.param("2026-05-02", ("planned", ""), id="due today"),
        pytest.param("2026-04-03", ("planned", ""), id="late, still fresh"),
        pytest.param("2026-04-01", ("not_matched", "expired"), id="later than fresh"),
        pytest.param("2026-02-01", ("not_matched", "expired"), id="over"),
    ],
)
def test_a_renewal_date_that_is_told_late(on: str, expected: tuple[str, str]) -> None:
    assert run(Book(), renewal(on), edition(**RENEWAL)) == [expected]


@pytest.mark.parametrize(
    ("state", "on", "at", "plans"),
    [
        pytest.param(PlanState.REQUESTED, "2026-06-15", NOW, 1, id="the same term moved a little"),
        pytest.param(PlanState.REQUESTED, "2027-05-15", NOW, 2, id="the next term, told early"),
        pytest.param(PlanState.PENDING, "2027-05-15", NOW, 1, id="not asked yet: moved far"),
        pytest.param(
            PlanState.PENDING, "2027-05-15", NOW + timedelta(days=90), 2, id="told after the old date"
        ),
    ],
)
def test_terms(state: PlanState, on: str, at: datetime, plans: int) -> None:
    of, book = edition(**RENEWAL), Book()
    run(book, renewal("2026-05-15", NOW - timedelta(days=1)), of)
    (plan,) = book.plans.values()
    book.put(replace(plan, state=state))
    run(book, renewal(on, at), of, now=at)
    assert len(book.plans) == plans


def test_a_cancelled_renewal_is_planned_anew_when_a_date_is_set() -> None:
    of, book = edition(**RENEWAL), Book()
    run(book, renewal("2026-07-01"), of)
    renewed = happened(
        "contract.renewed", touchpoint(NOW + timedelta(1), subject={"kind": "contract", "id": "k1"}), ()
    )
    assert run(book, renewed, of, now=LATER) == [("cancelled", "cancelled")]
    assert run(book, renewal("2027-07-01", NOW + timedelta(days=2)), of, now=LATER) == [
        ("planned", "superseded")
    ]


def test_an_audience_is_resolved_when_due_and_never_before_anybodys_day_begins() -> None:
    of, book = edition(**RENEWAL), Book()
    run(book, renewal("2026-07-01"), of)
    (parent,) = book.plans.values()
    zones = ["Pacific/Kiritimati", "Europe/Stockholm", "Pacific/Pago_Pago"]
    boss = [Contact(id=identity(z), version=1, zone=z, persona=Persona.DECISION_MAKER) for z in zones]
    user = Contact(id=identity("u"), version=1, persona=Persona.USER)
    found = list(expand(parent, of, crowd(*boss, user), ORGANISATION, NOW))
    plans = [plan for plan, _ in found if plan]
    assert [d.outcome for _, d in found].count(Outcome.PLANNED) == 3
    assert [_said(d) for plan, d in found if plan is None] == [("not_matched", "not_in_audience")]
    assert all(plan.due_at >= parent.due_at for plan in plans)
    assert [p.due_at.astimezone(UTC).hour for p in plans] == [18, 6, 19]
    assert len({p.id for p in plans}) == 3


def test_a_part_of_an_audience_can_be_asked() -> None:
    of = edition(**{**RENEWAL, "audience": {"who": "account", "max_per_account": 1}})
    book = Book()
    run(book, renewal("2026-07-01"), of)
    (parent,) = book.plans.values()
    found = list(expand(parent, of, crowd(*(p.contact for p in people(3))), ORGANISATION, NOW))
    assert sum(plan is not None for plan, _ in found) == 1
    rare = edition(**{**RENEWAL, "audience": {"who": "account", "sample": 0.000001}})
    everybody = crowd(*(p.contact for p in people(3)))
    assert all(plan is None for plan, _ in expand(parent, rare, everybody, ORGANISATION, NOW))


def test_an_account_audience_after_a_touchpoint_is_early_enough_for_every_zone() -> None:
    of = edition(audience={"who": "account"}, when__delay="14d", when__per="account")
    book = Book()
    run(book, happened(), of)
    (parent,) = book.plans.values()
    for zone in ("Pacific/Apia", "America/New_York", "Europe/Stockholm"):
        contact = Contact(id=identity(zone), version=1, zone=zone)
        ((plan, _),) = expand(parent, of, crowd(contact), ORGANISATION, NOW)
        assert plan is not None
        assert plan.due_at >= parent.due_at


def test_context_carries_no_address_and_is_bounded() -> None:
    told = touchpoint(context={"agent": "Sven", "mail": "a@b.example", "empty": None, "long": "x" * 999})
    assert context_of(told) == {"agent": "Sven", "long": "x" * 200}


@given(st.lists(st.sampled_from(["order.delivered", "order.returned"]), max_size=8), st.integers(0, 3))
def test_any_sequence_has_one_plan_a_subject_and_repeating_it_changes_nothing(
    kinds: list[str], orders: int
) -> None:
    book = Book()
    events = [
        happened(
            kind,
            touchpoint(NOW + timedelta(minutes=n), subject={"kind": "order", "id": f"o{n % (orders + 1)}"}),
        )
        for n, kind in enumerate(kinds)
    ]
    later = NOW + timedelta(minutes=10)
    for event in events:
        run(book, event, now=later)
    assert len({(p.subject, p.contact_id) for p in book.plans.values()}) == len(book.plans)
    states = {p.id: p.state for p in book.plans.values()}
    cancelled_last = {e.touchpoint.subject.id: e.type for e in events if e.touchpoint.subject}
    for plan in book.plans.values():
        returned = cancelled_last[plan.subject.removeprefix("order:")] == "order.returned"
        assert (states[plan.id] is PlanState.CANCELLED) == returned


@pytest.mark.parametrize(
    ("per", "told", "subject"),
    [
        ("contact", {}, f"contact:{ANNA.id}"),
        ("account", {}, f"account:{ACME.id}"),
        ("product", {"product": "Atlas"}, "product:Atlas"),
        ("contract", {"subject": None}, f"contract:account:{ACME.id}"),
        ("contract", {"subject": {"kind": "contract", "id": "k"}}, "contract:k"),
        ("project", {"subject": {"kind": "project", "id": "p"}}, "project:p"),
    ],
)
def test_what_once_is_counted_per(per: str, told: dict[str, Any], subject: str) -> None:
    book = Book()
    run(book, happened(told=touchpoint(**told)), edition(when__per=per))
    assert [plan.subject for plan in book.plans.values()] == [subject]


def test_events_that_do_not_say_what_is_counted() -> None:
    bare = Occurrence("order.delivered", "e", touchpoint(account=None, product="x"), None, (Person(ANNA),))
    assert run(Book(), bare, edition(when__per="account")) == [("not_matched", "filtered")]
    unnamed = happened(told=touchpoint(product=""))
    assert run(Book(), unnamed, edition(when__per="product")) == [("not_matched", "filtered")]
    nobody = Occurrence(
        "contract.renewal_date_set", "e", touchpoint(account=None, product="x", renewal_on="2026-07-01"), None
    )
    assert run(Book(), nobody, edition(**RENEWAL)) == [("not_matched", "filtered")]
    of = edition(**RENEWAL, when__where={"tier": "key"})
    assert run(Book(), renewal("2026-07-01"), of) == [("not_matched", "filtered")]
    filtered = edition(when__where={"product": "Atlas"})
    assert run(Book(), bare, filtered) == [("not_matched", "filtered")]


def test_a_date_for_a_term_that_had_none_moves_its_plan() -> None:
    of, book = edition(**RENEWAL), Book()
    run(book, renewal("2026-07-01"), of)
    (plan,) = book.plans.values()
    book.put(replace(plan, moment=replace(plan.moment, renewal_on=None)))
    assert run(book, renewal("2026-08-01", NOW + timedelta(minutes=1)), of) == [("planned", "superseded")]
