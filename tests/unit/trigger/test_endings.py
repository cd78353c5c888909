"""What calls plans off: events about the same thing, and the end of a customer for all that is ahead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.trigger.domain.audience import Person
from services.trigger.domain.book import Book, World
from services.trigger.domain.decisions import Occurrence
from services.trigger.domain.model import Account, Contact, PlanState, identity
from services.trigger.domain.moments import account_ended
from services.trigger.domain.planning import called_off, plan_surveys
from services.trigger.domain.programme import Edition
from services.trigger.domain.when import Per
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ORGANISATION, edition, touchpoint

BERT = replace(ANNA, id=identity("contact", "bert"))
OTHER = replace(ACME, id=identity("account", "a2"), external_id="a2")
LATER = NOW + timedelta(days=1)
ENDS = ["contract.ended", "account.churned", "order.returned"]


def rules(per: str, **when: Any) -> Edition:
    moment = {"touchpoint": "order.delivered", "delay": "3d", "fresh_for": "9d", "cancel_on": ENDS}
    return edition(when={**moment, "per": per, **when})


def happen(
    book: Book,
    of: Edition,
    kind: str,
    who: tuple[Contact, ...] = (),
    account: Account | None = ACME,
    **told: Any,
) -> Occurrence:
    at = NOW if kind == "order.delivered" else LATER
    data = {"subject": None, "product": "CRM" if who else "", **told}
    event = Occurrence(
        kind, f"{kind}{len(book.plans)}", touchpoint(at, **data), account, tuple(map(Person, who))
    )
    plan_surveys(event, World((of,), ORGANISATION, at), book)
    return event


def planned(of: Edition) -> Book:
    """Two people of one company and one of another wait for a question."""
    book = Book()
    for number, (who, account) in enumerate(((ANNA, ACME), (BERT, ACME), (ANNA, OTHER))):
        per = of.programme.when.per.value
        happen(book, of, "order.delivered", (who,), account, subject={"kind": per, "id": f"{per}{number}"})
    assert {plan.state for plan in book.plans.values()} == {PlanState.PENDING}
    return book


def left(book: Book) -> set[tuple[Any, Any]]:
    return {(p.contact_id, p.account_id) for p in book.plans.values() if p.state is PlanState.PENDING}


@pytest.mark.requirement("R11", "R54")
@pytest.mark.parametrize("per", ["contact", "account", "order", "ticket", "project", "contract", "event"])
@pytest.mark.parametrize("kind", ["account.churned", "contract.ended"])
def test_the_end_of_a_customer_calls_off_all_that_is_planned_there(per: str, kind: str) -> None:
    of = rules(per)
    book = planned(of)
    happen(book, of, kind)
    assert {account for _, account in left(book)} <= {OTHER.id}
    if per != "contact":  # of whom the second company is another plan
        assert left(book) == {(ANNA.id, OTHER.id)}


def test_it_does_so_although_it_names_the_person_who_gets_the_invoice() -> None:
    of = rules("order")
    book = planned(of)
    happen(book, of, "contract.ended", (ANNA,), subject={"kind": "contract", "id": "sub_3"})
    assert left(book) == {(ANNA.id, OTHER.id)}


def test_of_several_contracts_only_the_one_that_ended_is_asked_about_no_more() -> None:
    of = rules("contract")
    book = planned(of)
    happen(book, of, "contract.ended", subject={"kind": "contract", "id": "contract1"})
    assert left(book) == {(ANNA.id, ACME.id), (ANNA.id, OTHER.id)}
    happen(book, of, "account.churned", subject={"kind": "contract", "id": "contract1"})
    assert left(book) == {(ANNA.id, OTHER.id)}


def test_an_event_about_another_order_or_another_person_calls_nothing_off() -> None:
    of = rules("order")
    book = planned(of)
    happen(book, of, "order.returned", (ANNA,), subject={"kind": "order", "id": "order9"})
    assert len(left(book)) == 3
    happen(book, of, "order.returned", (ANNA,), subject={"kind": "order", "id": "order1"})
    assert left(book) == {(ANNA.id, ACME.id), (ANNA.id, OTHER.id)}
    by_person = rules("contact")
    book = planned(by_person)
    happen(book, by_person, "order.returned", (BERT,))
    assert (ANNA.id, ACME.id) in left(book)
    assert (BERT.id, ACME.id) not in left(book)


def test_what_happened_after_the_end_is_asked_about() -> None:
    of = rules("order")
    book = planned(of)
    early = Occurrence("account.churned", "x", touchpoint(NOW - timedelta(days=1)), ACME, ())
    plan_surveys(early, World((of,), ORGANISATION, LATER), book)
    assert len(left(book)) == 3


def test_what_was_asked_and_is_not_sent_is_to_be_taken_back() -> None:
    of = rules("order")
    asked = {p.id: replace(p, state=PlanState.REQUESTED) for p in planned(of).plans.values()}
    book = Book(asked)
    event = happen(book, of, "account.churned")
    assert {plan.account_id for plan in called_off(event, of, book)} == {ACME.id}
    assert len(list(called_off(event, of, book))) == 2


def test_a_series_of_people_ends_with_their_company() -> None:
    """As a monthly question about use does, which begins when somebody signs up."""
    of = edition(
        when={"every": "1mo", "anchor": "order.delivered", "until": ["account.churned"], "fresh_for": "9d"},
        quarantine={"contact": "5d"},
    )
    book = planned(of)
    happen(book, of, "account.churned")
    assert {account for _, account in left(book)} <= {OTHER.id}


def test_shadow_and_live_plans_are_ended_each_by_its_own() -> None:
    live = rules("order")
    book = planned(live)
    shadow = edition(
        state="shadow",
        when={"touchpoint": "order.delivered", "per": "order", "delay": "3d", "fresh_for": "9d",
              "cancel_on": ENDS},
    )  # fmt: skip
    happen(book, shadow, "account.churned")
    assert len(left(book)) == 3


@pytest.mark.parametrize("per", list(Per))
def test_an_event_of_no_account_ends_no_account(per: Per) -> None:
    event = Occurrence("account.churned", "x", touchpoint(), None, (Person(ANNA),))
    assert account_ended(per, event) is None


@pytest.mark.requirement("R30", "R78")
def test_every_event_by_itself_is_asked_about_and_the_same_one_once() -> None:
    of = edition(when={"touchpoint": "service.completed", "per": "event", "delay": "1d", "fresh_for": "9d"})
    book = Book()
    for number in (1, 1, 2):
        event = Occurrence("service.completed", f"e{number}", touchpoint(subject=None), ACME, (Person(ANNA),))
        plan_surveys(event, World((of,), ORGANISATION, NOW), book)
    assert len(book.plans) == 2
    assert {plan.contact_id for plan in book.plans.values()} == {ANNA.id}
