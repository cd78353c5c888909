"""Who of an account is asked: coverage of personas, turns among respondents; and to whom the mail goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.trigger.domain.audience import Person, choose
from services.trigger.domain.by_hand import AskedByHand, read_csv, touchpoint_of
from services.trigger.domain.expanding import expand
from services.trigger.domain.gate import decide
from services.trigger.domain.model import Contact, Reach, identity
from services.trigger.domain.programme import Audience, Edition, edition_of, resolve
from services.trigger.domain.survey import Request, letter_of, survey_of
from shared.contracts.model import Persona
from shared.contracts.reasons import Outcome, Reason
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ORGANISATION, crowd, definition, edition, facts, plan

BOTH = {"who": "account", "max_per_account": 2, "coverage": {"decision_maker": 1, "user": 1}}


def contact(number: int, persona: Persona | None = Persona.USER) -> Contact:
    return Contact(id=identity("c", number), version=1, persona=persona, account_id=ACME.id)


@pytest.mark.requirement("R59")
def test_one_decision_maker_and_one_user_are_asked_where_the_programme_wants_both() -> None:
    of = edition(audience=BOTH)
    people = [*(contact(n) for n in range(8)), contact(9, Persona.DECISION_MAKER)]
    found = list(expand(plan(of, contact_id=None), of, crowd(*people), ORGANISATION, NOW))
    asked = {p.contact_id for p, _ in found if p}
    assert len(asked) == 2
    assert identity("c", 9) in asked
    assert [d.reason for p, d in found if p is None] == [Reason.SAMPLED_OUT] * 7


def test_a_persona_that_is_missing_is_named() -> None:
    of = edition(audience=BOTH)
    found = list(expand(plan(of, contact_id=None), of, crowd(contact(1)), ORGANISATION, NOW))
    (decision,) = [d for p, d in found if p is None]
    assert (decision.reason, decision.inputs["wanted"]) == (Reason.NOT_IN_AUDIENCE, "decision_maker")


def test_coverage_comes_before_sampling() -> None:
    of = edition(audience={**BOTH, "sample": 0.000001, "max_per_account": None})
    people = [contact(1), contact(2), contact(3, Persona.DECISION_MAKER)]
    found = list(expand(plan(of, contact_id=None), of, crowd(*people), ORGANISATION, NOW))
    assert sum(p is not None for p, _ in found) == 2


@given(st.integers(1, 12), st.integers(1, 4))
def test_everybody_has_a_turn_before_long(people: int, most: int) -> None:
    audience = Audience.model_validate({"who": "account", "max_per_account": most})
    everybody = [Person(contact(n)) for n in range(people)]
    last: dict[UUID, datetime] = {}
    turn = -(-people // most)
    for number in range(3 * turn):
        chosen, _, surplus = choose(audience, everybody, last)
        assert len(chosen) == min(most, people)
        assert len(chosen) + len(surplus) == people
        last |= {person.contact.id: NOW + number * timedelta(days=90) for person in chosen}
        if number >= turn - 1:
            assert all(
                NOW + (number - turn + 1) * timedelta(days=90) <= last[p.contact.id] for p in everybody
            )


@pytest.mark.parametrize(
    "audience",
    [
        {"who": "event", "coverage": {"user": 1}},
        {"who": "account", "coverage": {"user": 2}, "max_per_account": 1},
        {"who": "account", "coverage": {"user": 1}, "persona": ["decision_maker"]},
        {"who": "account", "coverage": {"user": 0}},
    ],
)
def test_coverage_that_cannot_be_is_refused(audience: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Audience.model_validate(audience)


# --- the account's owner passes the link on ------------------------------------------------------------

OWNED = replace(ACME, owner="rita.berg@nordlicht.example")


def request(of: Edition, who: Contact = ANNA) -> Request:
    return Request(plan(of), of, who, OWNED, ORGANISATION)


@pytest.mark.requirement("R36")
def test_the_owner_gets_the_mail_and_is_asked_to_pass_it_on() -> None:
    of = edition(send__deliver_to="owner")
    survey = survey_of(request(of), NOW)
    assert survey.pass_on_to == "rita.berg@nordlicht.example"
    assert survey.letter.intro["en"].startswith("Please pass this on to {name}, {account}")
    assert survey_of(request(edition()), NOW).pass_on_to == ""


@pytest.mark.parametrize(
    ("owner", "reach", "outcome"),
    [
        ("rita@nordlicht.example", Reach.OK, Outcome.REQUESTED),
        ("rita@nordlicht.example", Reach.NONE, Outcome.REQUESTED),
        ("Rita", Reach.OK, Outcome.SUPPRESSED),
        ("", Reach.OK, Outcome.SUPPRESSED),
    ],
)
def test_the_owner_needs_an_address_the_person_none(owner: str, reach: Reach, outcome: Outcome) -> None:
    of = edition(send__deliver_to="owner")
    known = facts(
        contacts={ANNA.id: replace(ANNA, reach=reach)}, accounts={ACME.id: replace(ACME, owner=owner)}
    )
    assert decide(plan(of), of, known).outcome is outcome


@pytest.mark.requirement("R44", "R51")
def test_the_sender_may_differ_by_persona() -> None:
    of = edition(send__from={"user": "Ada <ada@n.example>", "decision_maker": "Eva <eva@n.example>"})
    names = {
        persona: letter_of(request(of, replace(ANNA, persona=persona))).sender_name
        for persona in (Persona.USER, Persona.DECISION_MAKER, None)
    }
    assert names == {Persona.USER: "Ada", Persona.DECISION_MAKER: "Eva", None: "Maria Lind"}


# --- variants and follow-ups --------------------------------------------------------------------------

SOFTER = {"when": {"delay": "3mo"}, "priority": 20}


def test_exactly_one_variant_is_active() -> None:
    plain = definition(variants={"later": SOFTER})
    chosen = definition(variants={"later": SOFTER}, variant="later")
    assert edition_of(plain).programme.when.delay.text == "2h"
    assert edition_of(plain).version == edition_of(definition()).version
    later = edition_of(chosen)
    assert (later.programme.when.delay.text, later.programme.priority) == ("3mo", 20)
    assert later.programme.when.touchpoint == ("order.delivered",)
    assert later.version not in {edition_of(plain).version, edition_of(definition(priority=20)).version}
    assert "variants" not in resolve(chosen)


@pytest.mark.requirement("R66")
def test_a_survey_carries_what_its_scores_are_broken_down_by() -> None:
    assert survey_of(request(edition(breakdown=["carrier", "release"])), NOW).snapshot.breakdown == (
        "carrier", "release",
    )  # fmt: skip
    assert survey_of(request(edition()), NOW).snapshot.breakdown == ()


def test_what_follows_an_answer_travels_with_the_survey() -> None:
    loop = {
        "unhappy": {"send": {"help": "getting-started"}, "contact_within": "8h", "task": "training"},
        "neutral": {"task": "show_features"},
        "happy": {"task": "referral"},
    }
    carried = survey_of(request(edition(close_the_loop=loop)), NOW).close_the_loop
    assert (carried.help, carried.neutral_task, carried.happy_task) == (
        "getting-started", "show_features", "referral",
    )  # fmt: skip
    assert (carried.ticket, carried.contact_within_hours, carried.unhappy_task) == (True, 8, "training")


@pytest.mark.requirement("R41")
def test_known_drivers_need_no_words() -> None:
    questions = definition()["questions"]
    matrix = {"id": "drivers", "type": "matrix", "text": {"en": "Rate us"}, "items": ["value", "ui"]}
    form = edition(questions=[*questions, matrix]).programme.form
    assert form.questions[-1].items[0].text["sv"] == "Helhetsvärde"
    with pytest.raises(ValidationError, match="no known driver"):
        edition(questions=[*questions, {**matrix, "items": ["charm"]}])


# --- people in a file ----------------------------------------------------------------------------------


def test_a_csv_says_who_and_every_bad_line_why() -> None:
    lines = read_csv(
        "\ufeffemail,name,account,persona,zone,subject_kind,subject_id\n"
        "a@x.example,Ann,a1,user,Europe/Stockholm,project,p1\n"
        ",Nobody,a1,,,,\n"
        "b@x.example,,,boss,,,\n"
        "c@x.example,,,,Mars/Base,,\n"
        "\n"
        "d@x.example,,,,,project,\n"
        "e@x.example,,,,,,,too many\n"
    )
    good = [line.asked for line in lines if line.asked]
    assert [(one.email, one.account) for one in good] == [("a@x.example", "a1")]
    assert [line.number for line in lines if line.problem] == [3, 4, 5, 7, 8]
    told = touchpoint_of(good[0], "deal", "Rita", NOW)
    assert told.context == {"programme": "deal", "by": "Rita"}
    assert told.subject is not None
    assert told.subject.id == "p1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mail\nx\n", "unknown column 'mail'"),
        ('email\n"open', "not readable as CSV"),
        ("", ""),
        ("email\n", ""),
    ],
)
def test_a_file_that_is_no_list_of_people(text: str, problem: str) -> None:
    lines = read_csv(text)
    assert [line.problem.startswith(problem) for line in lines] == ([True] if problem else [])


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for line in read_csv(text):
        assert (line.asked is None) == bool(line.problem)


def test_somebody_must_be_named() -> None:
    with pytest.raises(ValidationError, match="says who"):
        AskedByHand(name="Anna")
