"""What events tell of people and companies.

Newest wins, older fills gaps, what is told to others rises in version.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.directory import (
    Known,
    Told,
    account_changed,
    bumped_account,
    bumped_contact,
    contact_changed,
    contact_erased,
    erased,
    is_zone,
    merge_account,
    merge_contact,
    merge_person,
    parents_of,
    reach_of,
    with_known,
)
from services.trigger.domain.model import NAMESPACE, Account, Contact, Reach, identity
from services.trigger.domain.news import AccountHold, context_of, holds_of
from services.trigger.domain.programme import Edition
from shared.contracts.model import Person
from shared.contracts.touchpoints import Touchpoint, TouchpointContact
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, edition, touchpoint

DAY = timedelta(days=1)


def told(days: int = 0, **fields: object) -> Told:
    return Told(TouchpointContact.model_validate(fields), Person(), NOW + days * DAY)


def test_newer_wins_and_older_fills() -> None:
    account = merge_account(ACME, touchpoint(NOW, account={"id": "a1", "name": "New"}))
    older = merge_account(
        account, touchpoint(NOW - DAY, account={"id": "a1", "name": "Old", "industry": "saas"})
    )
    assert (older.name, older.industry) == ("New", "saas")
    assert older.known_at == NOW


def test_an_event_without_an_account_changes_only_its_date() -> None:
    account = merge_account(ACME, touchpoint(account=None, product="x", renewal_on="2026-09-01"))
    assert account.renewal_on is not None
    assert account.name == "Acme"


def test_contacts_are_merged_and_an_erased_one_never() -> None:
    new = merge_contact(ANNA, told(id="c1", locale="sv_SE", zone="Nowhere/Here", job_function="ops"), ACME.id)
    assert (new.external_id, new.locale, new.zone, new.account_id) == (
        "c1",
        "sv-SE",
        "Europe/Stockholm",
        ACME.id,
    )
    gone = replace(ANNA, erased_at=NOW)
    assert merge_contact(gone, told(job_function="ops"), ACME.id) is gone


def test_versions_rise_only_with_changes_that_others_are_told() -> None:
    assert bumped_contact(ANNA, replace(ANNA, known_at=NOW + DAY)) is None
    assert bumped_account(ACME, ACME) is None
    changed = bumped_contact(ANNA, replace(ANNA, job_function="ops"))
    assert changed is not None
    assert changed.version == 2
    first = bumped_account(Account(id=ACME.id), Account(id=ACME.id))
    assert first is not None
    assert first.version == 1


def test_a_new_address_forgets_that_the_old_one_bounced() -> None:
    bounced = replace(ANNA, bounced_at=NOW, email_hash="old")
    known = Known("sealed", "digest", "old", Reach.OK, ())
    assert with_known(bounced, known).bounced_at == NOW
    assert with_known(bounced, replace(known, email_hash="new")).bounced_at is None


def test_what_an_event_leaves_out_of_a_person_stays() -> None:
    old = Person(name="Anna", email="a@x.example")
    assert merge_person(old, Person(email="b@x.example"), fresh=True) == Person(
        name="Anna", email="b@x.example"
    )
    assert merge_person(old, Person(email="b@x.example", phone="1"), fresh=False) == Person(
        name="Anna", email="a@x.example", phone="1"
    )


def test_of_an_erased_person_nothing_remains() -> None:
    gone = erased(replace(ANNA, person="sealed", external_id="c1", account_id=ACME.id), NOW)
    assert gone == Contact(id=ANNA.id, version=2, account_id=ACME.id, erased_at=NOW, known_at=NOW)
    assert contact_erased(gone).version == 2


@pytest.mark.parametrize(
    ("email", "reach", "domain"),
    [
        ("", Reach.NONE, ""),
        ("  ", Reach.NONE, ""),
        ("anna@Kund.example", Reach.OK, "kund.example"),
        ("anna@bücher.example", Reach.OK, "xn--bcher-kva.example"),
        ("anna", Reach.INVALID, ""),
        ("a b@x.example", Reach.INVALID, ""),
        ("a@x.example\nBcc: b@y.example", Reach.INVALID, ""),
    ],
)
def test_addresses(email: str, reach: Reach, domain: str) -> None:
    assert reach_of(email) == (reach, domain)


def test_a_domain_and_all_above_it() -> None:
    assert parents_of("a.b.example") == ("a.b.example", "b.example")
    assert parents_of("localhost") == ("localhost",)
    assert parents_of("") == ()


@pytest.mark.parametrize(
    ("name", "known"), [("Europe/Oslo", True), ("Mars/Base", False), ("", False), ("../x", False)]
)
def test_zones(name: str, known: bool) -> None:
    assert is_zone(name) is known


def holds(kind: str, told: Touchpoint, account: UUID | None = ACME.id, *of: Edition) -> list[AccountHold]:
    return list(holds_of(kind, told, account, Catalogue.of(of)))


def test_incidents_and_unpaid_invoices_hold_their_account() -> None:
    (opened,) = holds("incident.opened", touchpoint())
    resolved, nameless = holds("incident.resolved", touchpoint(NOW + DAY))
    assert (resolved.ref, nameless.ref) == (opened.ref, "incident"), "also what began about nothing"
    assert (opened.active, resolved.active, resolved.version > opened.version) == (True, False, True)
    assert [hold.kind for hold in holds("invoice.overdue", touchpoint())] == ["dunning"]
    assert holds("incident.opened", touchpoint(), None) == []
    assert holds("order.delivered", touchpoint()) == []


def test_a_programme_may_name_a_hold_with_its_own_events() -> None:
    audit = {"name": "audit", "from": "audit.started", "until": ["audit.passed", "audit.failed"]}
    of = edition(when__hold_while=["incident", audit])
    assert of.programme.when.holds == ("incident", "audit")
    (begun,) = holds("audit.started", touchpoint(), ACME.id, of)
    ended, nameless = holds("audit.failed", touchpoint(NOW + DAY), ACME.id, of)
    assert (ended.ref, nameless.ref, nameless.active) == (begun.ref, "audit", False)
    assert (begun.kind, begun.ref, begun.active, ended.active) == ("audit", "o1", True, False)
    assert holds("audit.started", touchpoint()) == []


def test_some_events_are_context() -> None:
    found = context_of(
        "contract.renewed", touchpoint(renewal_on="2027-01-01", context={"mail": "a@b.example"}), ACME.id
    )
    assert found is not None
    assert found.data == {"event": "contract.renewed", "renewal_on": "2027-01-01"}
    assert context_of("order.delivered", touchpoint(), ACME.id) is None


@given(st.lists(st.tuples(st.integers(-5, 5), st.sampled_from(["", "A", "B"])), max_size=6), st.randoms())
def test_the_newest_name_wins_in_any_order(news: list[tuple[int, str]], random: object) -> None:
    seen: dict[int, str] = {}
    for day, name in news:
        seen.setdefault(day, name)
    account = Account(id=identity("x"))
    for day, name in seen.items():
        account = merge_account(account, touchpoint(NOW + day * DAY, account={"id": "x", "name": name}))
    named = [day for day, name in seen.items() if name]
    if named and max(seen) == max(named):
        assert account.name == seen[max(named)]


def test_what_others_are_told() -> None:
    assert account_changed(ACME).account_id == str(ACME.id)
    told = contact_changed(replace(ANNA, opted_out_at=NOW, account_id=ACME.id))
    assert (told.contact_id, told.account_id, told.opted_out) == (str(ANNA.id), str(ACME.id), True)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_an_identity_is_the_uuid5_of_its_key(parts: list[str]) -> None:
    assert identity(*parts) == uuid5(NAMESPACE, "\x1f".join(parts))


@pytest.mark.parametrize(
    "email",
    [
        "anna@kund.example", "anna.berg+x@Sub.Kund.example", "a..b@kund.example", ".a@kund.example",
        "anna@kund", "anna@kund..example", "anna@-kund.example", "@kund.example", "anna@", "anna",
        f"{'a' * 64}@kund.example", f"{'a' * 65}@kund.example", f"a@{'k' * 64}.example", "anna@öl.example",
        "åsa@kund.example", '"a b"@kund.example', "a@b@kund.example", f"anna@{'kund.' * 50}example",
    ],
)  # fmt: skip
def test_the_short_way_says_what_the_whole_check_says(email: str) -> None:
    try:
        found = validate_email(email, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        assert reach_of(email) == (Reach.INVALID, "")
    else:
        assert reach_of(email) == (Reach.OK, found.ascii_domain.lower())
