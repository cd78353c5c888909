"""Surveys, sentences and books: what a request says, and a decision in plain words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.trigger.domain.books import Books
from services.trigger.domain.explain import because, sentence
from services.trigger.domain.model import Decision
from services.trigger.domain.particulars import Reading, particulars
from services.trigger.domain.placeholders import unknown, used
from services.trigger.domain.survey import (
    Request,
    ask_of,
    language_for,
    owner_name,
    survey_id_of,
    survey_of,
    written_date,
)
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.surveys import SendHours
from tests.support.changed import replace
from tests.unit.trigger.support import ACME, ANNA, NOW, ORGANISATION, edition, plan


def request(of: Any = None, **changes: Any) -> Request:
    of = of or edition()
    found = Request(plan(of), of, ANNA, ACME, ORGANISATION)
    return replace(found, **changes)


def test_a_survey_is_complete() -> None:
    survey = survey_of(request(), NOW)
    assert survey.survey_id == str(survey_id_of(plan(edition()).id))
    reservation = ask_of(request(), survey)
    assert (reservation.asked_at, reservation.closes_at) == (NOW, survey.closes_at)
    assert str(reservation.survey_id) == survey.survey_id
    assert survey.fresh_until == NOW + timedelta(days=3)
    assert survey.form.low == 2
    assert survey.snapshot.key == str(ACME.id)
    assert (survey.snapshot.subject_kind, survey.snapshot.subject_id) == ("order", "o1")
    assert survey.slots == {
        "product": "Nordlicht",
        "account": "Acme",
        "organisation": "Nordlicht",
        "account_owner": "Maria Lind",
        "agent": "Nordlicht",
        "subject": "o1",
        "renewal_date": "",
    }


@pytest.mark.requirement("R46")
def test_a_survey_carries_the_hours_in_which_its_mails_may_leave() -> None:
    of = edition(send__window={"days": ["thu", "tue"], "hours": "09:30-16:00", "outside_before_stale": False})
    assert survey_of(request(of), NOW).send_hours == SendHours(
        days=(1, 3), opens=570, closes=960, zone="Europe/Stockholm", country="SE"
    )
    everywhere = edition(send__window={"days": ["tue"], "holidays": "ignore"})
    hours = survey_of(request(everywhere), NOW).send_hours
    assert hours is not None
    assert (hours.country, hours.outside_before_stale) == ("", True)
    assert survey_of(request(edition(send__window="anytime")), NOW).send_hours is None


@pytest.mark.requirement("R51")
def test_a_person_signs() -> None:
    letter = survey_of(request(), NOW).letter
    assert (letter.sender_name, letter.sender_email, letter.reply_to) == (
        "Maria Lind",
        "maria@nordlicht.example",
        "maria@nordlicht.example",
    )
    owned = replace(ACME, owner="sven.ek@nordlicht.example")
    of = edition(send__from="{account_owner} <success@nordlicht.example>")
    letter = survey_of(request(of, account=owned), NOW).letter
    assert (letter.sender_name, letter.sender_email) == ("Sven Ek", "success@nordlicht.example")
    assert survey_of(request(of, account=None), NOW).letter.sender_name == "Maria Lind"


@pytest.mark.parametrize(
    ("owner", "name"),
    [("maria.lind@x.example", "Maria Lind"), ("a-b_c@x", "A B C"), ("x1@y", ""), ("", ""), ("Maria", "")],
)
def test_names_are_read_off_addresses(owner: str, name: str) -> None:
    assert owner_name(replace(ACME, owner=owner)) == name


@pytest.mark.parametrize(
    ("wanted", "chosen"), [("sv", "sv"), ("sv-FI", "sv"), ("es-MX", "es-MX"), ("fi", "en"), ("", "en")]
)
def test_the_language_is_the_nearest(wanted: str, chosen: str) -> None:
    assert language_for(wanted, {"sv": "", "es-MX": "", "en": ""}, ("en",)) == chosen


def test_a_language_that_the_programme_has_rather_than_none() -> None:
    assert language_for("fi", {"sv": ""}, ("en",)) == "sv"
    assert language_for("fi", {}, ()) == "en"


def test_dates_are_written_in_words() -> None:
    day = date(2026, 9, 1)
    assert written_date(day, "sv") == "1 september 2026"
    assert written_date(day, "es") == "1 de septiembre de 2026"
    assert written_date(day, "xx-bogus-!") == "2026-09-01"
    assert written_date(None, "en") == ""


def test_placeholders() -> None:
    assert used("{name} and {product}") == ("name", "product")
    assert unknown("{name} {x} } {") == ("x", "{")
    assert unknown("plain }") == ("}",)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_decision_has_a_plain_sentence(reason: Reason, outcome: Outcome) -> None:
    for programme in ("p", ""):
        text = sentence(
            Decision(outcome=outcome, reason=reason, programme=programme, until=NOW, inputs={"max": 3})
        )
        assert text.endswith(".")
        assert "None" not in text
        assert "_" not in text
        assert because(reason)


def test_a_sentence_names_its_facts() -> None:
    decision = Decision(
        outcome=Outcome.SUPPRESSED,
        reason=Reason.QUARANTINED,
        programme="delivery-csat",
        inputs={
            "asked_at": NOW.isoformat(),
            "by": "support-csat",
            "touchpoint": "x",
            "empty": "",
            "share": 0.5,
            "t": "T T T T T",
        },
    )
    text = sentence(decision)
    assert text.startswith("“delivery-csat” was not sent, because the person was asked too recently")
    assert "3 March 2026, 10:00 UTC" in text
    assert "last asked on 3 March 2026, 10:00 UTC by “support-csat”" in text
    assert sentence(replace(decision, step=2)).startswith("Reminder 2 of “delivery-csat”")
    assert because(None) == ""


def test_a_rep_reads_titles_and_the_own_clock() -> None:
    decision = Decision(
        outcome=Outcome.DEFERRED,
        reason=Reason.QUARANTINED,
        programme="delivery-csat",
        until=NOW + timedelta(days=30),
        inputs={"asked_at": NOW.isoformat(), "by": "support-csat", "quarantine": "30d"},
    )
    titles = {"delivery-csat": "After a delivery", "support-csat": "After a ticket"}
    assert sentence(decision, Reading(titles, ZoneInfo("Asia/Tokyo"))) == (
        "“After a delivery” waits until 2 April 2026, 19:00 JST, because the person was asked too recently "
        "(last asked on 3 March 2026, 19:00 JST by “After a ticket”; 30 days lie between two questions)."
    )


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"max": 2, "per": "3mo", "asked": 2}, "2 asked within 3 months, at most 2"),
        ({"by": "p", "priority": 80, "own_priority": 50}, "“p” has priority 80, this one 50"),
        ({"field": "persona", "found": None, "wanted": "user"}, "persona is not known, wanted is user"),
        ({"field": "job_function", "found": "it", "wanted": "hr"}, "job function is it, wanted is hr"),
        ({"field": "nth", "found": 1, "wanted": 3}, "this was number 1, number 3 is asked about"),
        ({"field": "tier", "found": "key"}, "tier is key"),
        ({"hold": "dunning", "ref": "in_7"}, "an invoice is overdue; number in_7"),
        ({"hold": "audit", "ref": str(ACME.id)}, "audit is open"),
        ({"brake": "programme p"}, "the programme is paused"),
        ({"brake": "all sending"}, "all sending is paused"),
        ({"state": "requested"}, "that one was sent on its way"),
        ({"state": "closed"}, "that one is closed"),
        ({"slot": "tue 10-12", "share": "29%", "asked_then": 12, "answered_then": 5},
         "Tuesdays from 10 to 12 at the person's place; 5 of 12 answered then; 29% are expected to answer"),
        ({"slot": "sun 08-10", "share": "25%", "asked_then": 0, "answered_then": 0},
         "Sundays from 8 to 10 at the person's place; 25% are expected to answer"),
        ({"sample": 0.2}, "20% of them are asked"),
        ({"asked_at": NOW.isoformat()}, "first asked on 3 March 2026, 10:00 UTC"),
        ({"named": "zendesk contact zendesk:42"}, "it names contact zendesk:42"),
        ({"named": "hubspot ticket 42"}, "it names hubspot ticket 42"),
        ({"stays": str(ACME.id), "plans": 2, "called_off": 0}, "plans moved: 2, called off: 0"),
        ({"quarantine": "24h"}, "24 hours lie between two questions"),
        ({"field": "plan", "found": None}, "plan is not known"),
        ({"field": "order", "why": "the event names no order, and the programme counts per order"}, ""),
        ({"field": "account", "why": "the event does not say whose date it is"},
         "it is counted per account"),
        ({"new_fact": "some_thing", "scope": "x"}, "new fact some thing"),
        ({"stale_at": "T T T T T T T T"}, "too late from T T T T T T T T"),
    ],
)  # fmt: skip
def test_facts_are_told_as_people_say_them(inputs: dict[str, Any], said: str) -> None:
    assert particulars(inputs, Reading()) == said


@pytest.mark.parametrize(
    ("reason", "said"),
    [(Reason.HELD, "waits at most until 3 March"), (Reason.SEND_WINDOW, "waits until 3 March")],
)
def test_what_somebody_ends_waits_at_most_until_then(reason: Reason, said: str) -> None:
    waits = Decision(outcome=Outcome.DEFERRED, reason=reason, programme="p", until=NOW)
    assert said in sentence(waits)


def test_what_exactly_was_wrong_takes_the_place_of_the_general_reason() -> None:
    why = {"why": "the event is from the future"}
    told = Decision(outcome=Outcome.NOT_MATCHED, reason=Reason.FILTERED, programme="", inputs=why)
    assert sentence(told) == "Nobody is asked, because the event is from the future."


@pytest.mark.parametrize(
    ("event", "meant"),
    [
        ("order.deliverd", "order.delivered"), ("Order Delivered", "order.delivered"),
        ("orders.delivered", "order.delivered"), ("seat.aded", "seat.added"),
        ("order.shipped", ""), ("project.closed", ""), ("odd.event", ""), ("seat.added", ""),
    ],
)  # fmt: skip
def test_an_event_that_nobody_asks_about_may_be_misspelt(event: str, meant: str) -> None:
    told = Decision(outcome=Outcome.NOT_MATCHED, reason=Reason.NOT_MATCHED, inputs={"touchpoint": event})
    said = "Nobody is asked, because no programme asks about this event."
    reading = Reading(events=Reading().events | {"seat.added"})
    assert sentence(told, reading) == (f"{said} Did you mean {meant}?" if meant else said)


def test_books_balance_or_not() -> None:
    assert Books(pending=1, requested=2, suppressed={"expired": 1}, cancelled=1, planned=5, asked=2).balanced
    assert not Books(pending=1, planned=2).balanced
    assert not Books(requested=1, planned=1, asked=0).balanced


def test_the_organisation_is_announced_with_its_brake() -> None:
    assert replace(ORGANISATION, version=3).announcement(paused=True).paused


def test_a_merge_does_not_read_as_if_nobody_were_asked_and_types_keep_their_names() -> None:
    merged = Decision(
        outcome=Outcome.NOT_MATCHED,
        reason=Reason.MERGED,
        inputs={"stays": "x", "event": "support_ticket.resolved"},
    )
    assert sentence(merged).startswith("Merged, because two entries of the directory turned out to be one")
    assert "event support_ticket.resolved" in sentence(merged)


@pytest.mark.parametrize("event", ["contact.merged", "account.merged"])
def test_a_merge_of_whom_nobody_knows_says_that_nothing_was_merged(event: str) -> None:
    told = Decision(
        outcome=Outcome.NOT_MATCHED,
        reason=Reason.UNKNOWN_CONTACT,
        inputs={"touchpoint": event, "by_whom": "/afterword/trigger"},
    )
    assert sentence(told).startswith("Nothing was merged, because the event names somebody by an id alone")
    assert "(told by an event of a partner)" in sentence(told)
    asked = replace(told, reason=Reason.NOT_MATCHED)
    assert sentence(asked).startswith("Nobody is asked, because no programme asks about this event")
