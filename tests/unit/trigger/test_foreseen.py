"""Whoever an audience will mean is foreseen before it comes due, as long as the directory does not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trigger.domain.arbitration import rival_of
from services.trigger.domain.audience import Person
from services.trigger.domain.expanding import Crowd, expand
from services.trigger.domain.gate import decide
from services.trigger.domain.model import Account, Contact, Plan, identity
from services.trigger.domain.parties import of_account
from services.trigger.domain.places import foreseen
from services.trigger.domain.programme import Edition
from shared.contracts.model import Persona, Tier
from shared.contracts.reasons import Outcome, Reason
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ORGANISATION, edition, facts, plan

pytestmark = pytest.mark.requirement("R59", "R62")
DAY = timedelta(days=1)
ROLES = ("main_contact", "stakeholder")
GLOBEX = replace(ACME, id=identity("account", "a2"), external_id="a2", tier=Tier.KEY)
PLAIN = edition()


@dataclass(frozen=True)
class Situation:
    """An audience that comes due in some days, and everybody in the directory whom it may mean."""

    of: Edition
    parent: Plan
    people: tuple[Person, ...]

    @property
    def crowd(self) -> Crowd:
        return Crowd(self.people, {one.id: one for one in (ACME, GLOBEX)})

    def resolved(self) -> list[Plan]:
        """Whom it means on its day."""
        found = expand(self.parent, self.of, self.crowd, ORGANISATION, self.parent.due_at)
        return [child for child, _ in found if child]


def contact(number: int, persona: Persona | None, job: str, home: Account | None) -> Contact:
    own = home.id if home else None
    return replace(ANNA, id=identity("contact", number), persona=persona, job_function=job, account_id=own)


_FOLK = st.lists(
    st.tuples(
        st.sampled_from([Persona.DECISION_MAKER, Persona.USER, None]),
        st.sampled_from(["purchasing", ""]),
        st.sampled_from([ACME, GLOBEX, None]),
        st.sampled_from([*ROLES, ""]),
    ),
    max_size=8,
)
_AUDIENCES = st.fixed_dictionaries(
    {"who": st.sampled_from(["account", "product", "project", "contract"]),
     "coverage": st.sampled_from([{"decision_maker": 1}, {"decision_maker": 1, "user": 2}])},
    optional={
        "role": st.sampled_from([["main_contact"], list(ROLES)]),
        "persona": st.just(["decision_maker", "user"]),
        "job_function": st.just(["purchasing"]),
        "tier": st.sampled_from([["key"], ["small", "key"]]),
        "max_per_account": st.integers(3, 5),
        "sample": st.sampled_from([0.5, 1.0]),
    },
)  # fmt: skip


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    audience: dict[str, Any] = draw(_AUDIENCES)
    of = edition(audience=audience, priority=90, quarantine={"contact": "30d"})
    home = ACME if audience["who"] == "account" else draw(st.sampled_from([ACME, None]))
    parent = plan(
        of, contact_id=None, account_id=home.id if home else None, due_at=NOW + draw(st.integers(0, 20)) * DAY
    )
    own_people = home is not None and audience["who"] in {"account", "product"}
    folk = [
        Person(contact(number, persona, job, home if own_people else own), role)
        for number, (persona, job, own, role) in enumerate(draw(_FOLK))
    ]
    return Situation(of, parent, tuple(folk))


@given(situations())
def test_everybody_whom_coverage_wants_is_foreseen_as_they_will_be_planned(given_: Situation) -> None:
    ahead = {one.id: one for one in foreseen(given_.parent, given_.of, given_.crowd, ORGANISATION)}
    wanted = given_.of.programme.audience.coverage
    personas = {person.contact.id: person.contact.persona for person in given_.people}
    for child in given_.resolved():
        assert child.contact_id is not None
        if personas[child.contact_id] in wanted:
            assert ahead[child.id] == child


@given(situations())
def test_everybody_who_will_be_asked_has_a_rival_until_then(given_: Situation) -> None:
    parts = {person.contact.id: person.role for person in given_.people}
    contacts = {person.contact.id: person.contact for person in given_.people}
    known = facts(contacts=contacts, accounts={one.id: one for one in (ACME, GLOBEX)})
    for child in given_.resolved():
        assert child.contact_id is not None
        mine = plan(PLAIN, contact_id=child.contact_id, account_id=contacts[child.contact_id].account_id)
        rival = rival_of(given_.parent, mine, given_.of, known, parts[child.contact_id])
        assert rival is not None
        assert (rival.due_at, rival.priority) == (child.due_at, 90)


def test_whoever_takes_no_part_in_what_the_audience_is_about_has_no_rival() -> None:
    of = edition(audience={"who": "project"}, priority=90)
    audience = plan(of, contact_id=None)
    assert not of_account(of)
    assert rival_of(audience, plan(PLAIN), of, facts(), "") is not None
    assert rival_of(audience, plan(PLAIN), of, facts(), None) is None


@pytest.mark.parametrize(("who", "meant"), [("product", False), ("project", True), ("contract", True)])
def test_a_partner_takes_part_in_a_project_of_another_company_but_uses_the_product_of_their_own(
    who: str, meant: bool
) -> None:
    of = edition(audience={"who": who}, priority=90)
    audience = plan(of, contact_id=None, account_id=GLOBEX.id)
    anna: dict[str, Any] = {"contacts": {ANNA.id: replace(ANNA, account_id=ACME.id)}}
    assert (rival_of(audience, plan(PLAIN), of, facts(**anna), "") is not None) is meant


@pytest.mark.parametrize("role", ["main_contact", "stakeholder", None])
def test_of_an_account_only_those_in_the_role_have_a_rival(role: str | None) -> None:
    of = edition(audience={"who": "account", "role": ["main_contact"]}, priority=90)
    anna: dict[str, Any] = {"contacts": {ANNA.id: replace(ANNA, account_id=ACME.id)}}
    found = rival_of(plan(of, contact_id=None), plan(PLAIN), of, facts(**anna), role)
    assert (found is not None) is (role == "main_contact")


def test_who_waits_for_an_audience_of_another_account_or_none_looks_again_when_it_is_known() -> None:
    """Nobody is there to wake them: whom it means of whom is known on its day."""
    rules: dict[str, Any] = {"priority": 90, "quarantine": {"contact": "14d"}}
    of = edition(key="release", audience={"who": "product"}, **rules)
    project = edition(key="project", audience={"who": "project"}, **rules)
    tomorrow = NOW + DAY
    audiences: Sequence[tuple[Edition, Any, Any]] = (
        (of, plan(of, contact_id=None, account_id=None, due_at=tomorrow), tomorrow),
        (of, plan(of, contact_id=None, account_id=None, due_at=NOW - DAY), NOW + timedelta(minutes=1)),
        (project, plan(project, contact_id=None, due_at=tomorrow), NOW + 3 * DAY),
        (project, plan(project, contact_id=None, account_id=GLOBEX.id, due_at=tomorrow), tomorrow),
    )
    for of, audience, until in audiences:
        known = facts()
        rival = rival_of(audience, plan(PLAIN), of, known, "")
        assert rival is not None
        known.rivals = {ANNA.id: [rival]}
        found = decide(plan(PLAIN), PLAIN, known)
        assert (found.outcome, found.reason, found.until) == (Outcome.DEFERRED, Reason.OUTRANKED, until)
