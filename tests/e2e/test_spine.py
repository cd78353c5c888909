"""One event's whole way through all five services, for each preset, and what may happen on it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from shared.bus.model import Outgoing
from shared.security.roles import Role
from shared.security.signatures import WebhookSecret, sign_zendesk
from tests.e2e.conftest import ON_KAFKA_TOO
from tests.support.books import balanced, read_books
from tests.support.house import House, someone
from tests.support.postbox import Mail
from tests.support.rooms import HELPDESK
from tests.support.townsfolk import answer, hire, scan, send, stop, stop_with_one_click, visit

pytestmark = pytest.mark.e2e

ACME = {"id": "acme", "name": "Acme Robotics", "tier": "key", "owner": "rita@nordlicht.example"}
ORDER = {"kind": "order", "id": "4711"}
WORKDAYS = {1, 2, 3}
FIXED = {"en": "Did we fix it?", "es": "¿Lo hemos solucionado?", "sv": "Löste vi det?"}


@dataclass(frozen=True)
class Preset:
    """A preset's event, who is asked, and what its mail must look like."""

    programme: str
    touchpoint: str
    question: str
    why: str
    unhappy: int
    person: dict[str, Any]
    subject: str
    earliest: timedelta
    days: set[int]
    hours: tuple[time, time]
    facts: dict[str, Any] = field(default_factory=dict)
    score: float = 0.0


ONBOARDING = Preset(
    programme="onboarding-ces",
    touchpoint="customer.signed_up",
    question="ces",
    why="why_hard",
    unhappy=2,
    person=someone("ines", locale="es", zone="Europe/Madrid"),
    subject="¿Le resultó fácil empezar con Nordlicht Cloud?",
    earliest=timedelta(days=14),
    days=WORKDAYS,
    hours=(time(9, 30), time(16)),
    facts={"product": "Nordlicht Cloud"},
)
SUPPORT = Preset(
    programme="support-csat",
    touchpoint="support_ticket.resolved",
    question="csat",
    why="why_low",
    unhappy=1,
    person=someone("elsa", locale="sv", zone="Europe/Stockholm"),
    subject="Ditt supportärende 88: fick du hjälp?",
    earliest=timedelta(hours=24),
    days={0, 1, 2, 3, 4},
    hours=(time(8, 30), time(17)),
    facts={"subject": {"kind": "ticket", "id": "88"}},
)
DELIVERY = Preset(
    programme="delivery-csat",
    touchpoint="order.delivered",
    question="csat",
    why="why_low",
    unhappy=2,
    person=someone("joe", locale="en", zone="America/Los_Angeles"),
    subject="Did delivery 4711 arrive as it should?",
    earliest=timedelta(hours=2),
    days={0, 1, 2, 3, 4, 5},
    hours=(time(8), time(19)),
    facts={"subject": ORDER},
)
RENEWAL = Preset(
    programme="renewal-nps",
    touchpoint="contract.renewal_date_set",
    question="nps",
    why="why_detractor",
    unhappy=6,
    person=someone("ana", locale="en", zone="Europe/London", persona="decision_maker"),
    subject="Would you recommend Nordlicht? One question before your contract renews",
    earliest=timedelta(days=12),
    days=WORKDAYS,
    hours=(time(9, 30), time(16)),
    facts={"subject": {"kind": "contract", "id": "c-1"}, "renewal_on": date(2026, 5, 15)},
    score=-100.0,
)


async def happens(house: House, preset: Preset, **more: Any) -> str:
    """The preset's event comes in over the log."""
    facts = {"contact": preset.person, "account": ACME} | preset.facts | more
    return await house.tell(preset.touchpoint, **facts)


async def first_mail(house: House, to: str, within: timedelta = timedelta(days=40)) -> Mail:
    """Let time pass until somebody gets a mail that asks something."""
    end = house.clock.now() + within
    await house.settle()
    while not (asked := [mail for mail in house.mails(to) if mail.scores]):
        due = await house.next_due()
        assert due is not None, "nothing is planned"
        assert due <= end, "no mail within that time"
        await house.until(due)
    return asked[0]


async def call_helpdesk(house: House, status: str, before: str, at: datetime) -> httpx.Response:
    """The helpdesk's trigger calls our webhook with its documented template."""
    body = json.dumps(
        {
            "ticket": {
                "id": "88",
                "status": status,
                "previous_status": before,
                "updated_at_with_timestamp": at.isoformat(),
                "requester": {"email": "elsa@acme.example", "name": "Elsa Berg", "external_id": "acme-elsa"},
                "organization": {"name": "Acme Robotics", "external_id": "acme"},
            }
        }
    ).encode()
    headers = sign_zendesk(WebhookSecret.plain(HELPDESK), house.machine.wall(), body)
    async with house.browser() as client:
        return await client.post("/webhooks/zendesk", content=body, headers=headers)


@pytest.mark.requirement("R37", "R38", "R47", "R50", "R54", "R72", "R95")
@pytest.mark.parametrize(
    "preset",
    [
        pytest.param(ONBOARDING, id="onboarding", marks=pytest.mark.requirement("R11", "R4", "R5")),
        pytest.param(SUPPORT, id="support", marks=pytest.mark.requirement("R12", "R3")),
        pytest.param(DELIVERY, id="delivery", marks=pytest.mark.requirement("R15", "R26", "R3")),
        pytest.param(RENEWAL, id="renewal", marks=pytest.mark.requirement("R35", "R1")),
    ],
)
@ON_KAFKA_TOO
async def test_an_unhappy_answer_goes_its_whole_way(house: House, preset: Preset) -> None:
    rita = await hire(house, "rita")
    told_at = house.clock.now()
    await happens(house, preset)
    mail = await first_mail(house, preset.person["email"])
    sent_at = house.clock.now()
    local = sent_at.astimezone(ZoneInfo(preset.person["zone"]))

    # One mail, in the window and in the language of whom it asks.
    assert len(house.mails()) == 1
    assert mail.subject == preset.subject
    assert sent_at - told_at >= preset.earliest
    assert local.weekday() in preset.days
    assert preset.hours[0] <= local.time() <= preset.hours[1]
    assert "Karin Åberg" in str(mail.message["From"])

    # Looking answers nothing.
    before = await read_books(house)
    for path in mail.scores.values():
        house.clock.advance(timedelta(minutes=1))
        assert (await visit(house, path)).status_code == 200
    await house.later(hours=1)
    after = await read_books(house)
    assert after.scoring == before.scoring
    assert after.collector.responses == {}
    assert house.mails(rita.email) == []

    # A person's answer counts, opens one ticket and tells its owner once.
    await answer(house, mail, preset.unhappy, **{preset.why: "It took far too long."})
    books = await balanced(house)
    (told,) = [one for one in books.scoring.programmes if one.programme == preset.programme]
    assert (told.n, told.score) == (1, preset.score)
    assert books.alerts.tickets == {"open": 1}
    (alarm,) = house.mails(rita.email)
    assert "It took far too long." in alarm.text
    assert preset.person["email"] in alarm.text

    # The rep takes it, speaks with the customer, and ends it with what was learned.
    for action, state, typed in (
        ("acknowledge", "acknowledged", {}),
        ("contacted", "contacted", {"via": "phone", "note": "Called, listened."}),
        ("resolve", "resolved", {"note": "Explained and mended."}),
    ):
        house.clock.advance(timedelta(minutes=10))  # before anybody else is woken
        page = await rita.see(alarm.ticket)
        chosen = {"cause": _first_cause(page.text)} if action == "resolve" else {}
        done = await rita.press(alarm.ticket, action, **typed, **chosen)
        assert done.status_code == 303, done.text
        assert (await read_books(house)).alerts.tickets == {state: 1}

    # One question follows, whether it is fixed, and nothing more: no reminder, no escalation.
    await house.later(days=45)
    books = await balanced(house)
    assert books.alerts.breaches == {}
    asked, replied, question = house.mails(preset.person["email"])
    assert (question.subject, set(question.scores)) == (FIXED[preset.person["locale"]], {0, 1})
    assert asked.scores
    assert not replied.scores, "and at once they heard that somebody will call"
    assert books.alerts.messages == {"handed_over": 1}
    assert len(house.mails(rita.email)) == 1
    assert books.trigger.answered == 1


@pytest.mark.requirement("R72", "R78")
async def test_the_customer_has_the_last_word_on_a_case(house: House) -> None:
    rita, mia = await hire(house, "rita"), await hire(house, "mia", Role.MANAGER)
    await happens(house, DELIVERY)
    mail = await first_mail(house, DELIVERY.person["email"])
    await answer(house, mail, 1, why_low="Late and broken.")
    (alarm,) = house.mails(rita.email)

    async def question(number: int) -> Mail:
        """The rep speaks with the customer and resolves; a day or more later the customer is asked."""
        house.clock.advance(timedelta(minutes=10))  # before anybody else is woken
        await rita.press(alarm.ticket, "contacted", via="phone")
        page = await rita.see(alarm.ticket)
        await rita.press(alarm.ticket, "resolve", note="Sent anew.", cause=_first_cause(page.text))
        await house.later(days=5)
        asked = [one for one in house.mails(DELIVERY.person["email"]) if set(one.scores) == {0, 1}]
        assert len(asked) == number
        return asked[-1]

    # Whoever only looks says nothing; a scanner that presses the button says nothing either.
    first = await question(1)
    await scan(house, first)
    await house.later(hours=1)
    page = await rita.see(alarm.ticket)
    assert "Resolved, not confirmed" in page.text
    assert "was asked whether it is mended" in page.text

    # "No" opens the case again and tells the manager; the rep mends it, is asked about anew: "yes".
    await answer(house, first, 0, missing="Still broken.")
    assert (await balanced(house)).alerts.tickets == {"open": 1}
    (told,) = house.mails(mia.email)
    assert told.subject.startswith("NOT MENDED")
    assert "Still broken." in told.text
    assert "Still broken." in (await rita.see(alarm.ticket)).text
    await answer(house, await question(2), 1)
    page = await rita.see(alarm.ticket)
    assert "Confirmed by the customer" in page.text
    books = await balanced(house)
    assert books.alerts.tickets == {"resolved": 1}
    assert [one.programme for one in books.scoring.programmes] == ["delivery-csat"], "yes and no are no score"


@pytest.mark.requirement("R54")
async def test_the_same_delivery_heard_by_webhook_and_by_log_is_asked_once(house: House) -> None:
    facts: dict[str, Any] = {"contact": DELIVERY.person, "account": ACME, "subject": ORDER}
    assert (await house.call_webhook("order.delivered", id="m1", **facts)).json()["status"] == "accepted"
    assert (await house.call_webhook("order.delivered", id="m1", **facts)).json()["status"] == "duplicate"
    await house.tell("order.delivered", id="o1", **facts)
    await house.tell("order.delivered", id="o1", **facts)
    await house.tell("order.delivered", id="o1", by="/shop", **facts)
    await house.later(days=2)
    books = await balanced(house)
    assert (books.trigger.planned, books.trigger.requested) == (1, 1)
    assert len(house.mails()) == 1


@pytest.mark.requirement("R12", "R71")
async def test_a_helpdesk_ticket_that_opens_again_is_not_asked_about_until_it_is_solved(house: House) -> None:
    solved = await call_helpdesk(house, "Solved", "Open", house.clock.now())
    assert solved.json()["status"] == "accepted"
    await house.later(hours=5)
    await call_helpdesk(house, "Open", "Solved", house.clock.now())
    await house.later(days=3)
    assert house.mails() == []
    await call_helpdesk(house, "Solved", "Open", house.clock.now())
    await house.later(days=3)
    assert [mail.to for mail in house.mails()] == ["elsa@acme.example"]
    books = await balanced(house)
    assert books.trigger.planned == 1


@pytest.mark.requirement("R35")
async def test_a_renewal_date_that_moves_takes_its_survey_along(house: House) -> None:
    await happens(house, RENEWAL)
    await house.later(days=5)
    await happens(house, RENEWAL, renewal_on=date(2026, 6, 15))
    await house.until(datetime(2026, 4, 15, 12, tzinfo=UTC))
    assert house.mails() == []
    await house.until(datetime(2026, 4, 19, 12, tzinfo=UTC))
    (mail,) = house.mails()
    assert "June 15, 2026" in mail.text
    assert (await balanced(house)).trigger.requested == 1


@pytest.mark.requirement("R35", "R59")
async def test_a_renewal_asks_the_accounts_decision_makers_alone(house: House) -> None:
    for name, persona in (("ana", "decision_maker"), ("bo", "user"), ("cy", "decision_maker")):
        await house.tell("contact.updated", contact=someone(name, persona=persona), account=ACME)
    await house.tell("contract.renewal_date_set", account=ACME, **RENEWAL.facts)
    await house.later(days=18)
    assert sorted(mail.to for mail in house.mails()) == ["ana@acme.example", "cy@acme.example"]


@pytest.mark.requirement("R49")
async def test_reminders_stop_with_the_answer(house: House) -> None:
    await happens(house, ONBOARDING)
    await first_mail(house, ONBOARDING.person["email"])
    await house.later(days=8)
    first, second = house.mails()
    assert first.survey == second.survey
    assert first.message_id != second.message_id
    await answer(house, second, 7)
    await house.later(days=30)
    assert len(house.mails()) == 2
    books = await balanced(house)
    assert (books.trigger.reminded, books.scoring.answered) == (1, 1)


@pytest.mark.requirement("R49")
async def test_all_reminders_come_when_nobody_answers_and_then_the_survey_closes(house: House) -> None:
    await happens(house, ONBOARDING)
    mail = await first_mail(house, ONBOARDING.person["email"])
    await house.later(days=31)
    assert len(house.mails()) == 3
    late = await visit(house, mail.scores[5])
    assert late.status_code == 410
    books = await balanced(house)
    assert books.scoring.answered == 0


@pytest.mark.parametrize(
    "way", [pytest.param("page", id="on the page"), pytest.param("click", id="by one click")]
)
async def test_who_stops_mails_gets_none_any_more(house: House, way: str) -> None:
    await happens(house, ONBOARDING)
    mail = await first_mail(house, ONBOARDING.person["email"])
    await visit(house, mail.stop)
    await (stop(house, mail) if way == "page" else stop_with_one_click(house, mail))
    await house.tell("order.delivered", contact=ONBOARDING.person, account=ACME, subject=ORDER)
    await house.later(days=40)
    assert len(house.mails()) == 1
    books = await balanced(house)
    assert books.trigger.suppressed == {"opted_out": 1}


async def test_who_agrees_again_after_a_stop_is_asked_again_and_an_older_yes_changes_nothing(
    house: House,
) -> None:
    agreed = house.clock.now()
    await happens(house, ONBOARDING)
    mail = await first_mail(house, ONBOARDING.person["email"])
    await stop_with_one_click(house, mail)
    late = {**ONBOARDING.person, "consent": True, "consent_at": agreed}
    await house.later(days=20)
    await house.tell("contact.updated", contact=late)
    await house.tell("order.delivered", contact=ONBOARDING.person, account=ACME, subject=ORDER)
    await house.later(days=20)
    assert len(house.mails()) == 1, "the yes that came late was given before the stop"
    renewed = {**ONBOARDING.person, "consent": True, "consent_at": house.clock.now()}
    await house.tell("contact.updated", contact=renewed)
    await house.tell(
        "order.delivered", contact=ONBOARDING.person, account=ACME, subject={"kind": "order", "id": "4712"}
    )
    await house.later(days=2)
    assert len(house.mails()) == 2
    await stop_with_one_click(house, house.mails()[1])
    await house.tell(
        "order.delivered", contact=ONBOARDING.person, account=ACME, subject={"kind": "order", "id": "4713"}
    )
    await house.later(days=40)
    assert len(house.mails()) == 2, "and a new stop holds again"
    books = await balanced(house)
    assert books.trigger.suppressed == {"opted_out": 2}


@pytest.mark.requirement("R72", "R77")
async def test_a_better_amendment_closes_a_ticket_that_nobody_touched(house: House) -> None:
    rita = await hire(house, "rita")
    await happens(house, DELIVERY)
    mail = await first_mail(house, DELIVERY.person["email"])
    await answer(house, mail, 1, why_low="Box broken.")
    assert (await read_books(house)).alerts.tickets == {"open": 1}
    await house.later(hours=2)
    page = await visit(house, mail.survey + "?edit")
    house.clock.advance(timedelta(minutes=1))
    sent = await send(house, page, mail.survey, **{"q.csat": "5", "q.why_high": "A new one came at once."})
    assert sent.status_code == 303
    await house.later(days=3)
    books = await balanced(house)
    assert books.alerts.tickets == {"closed": 1}
    assert books.alerts.unhappy == 0
    assert len(house.mails(rita.email)) == 1
    (told,) = books.scoring.programmes
    assert (told.n, told.score) == (1, 100.0)


@pytest.mark.requirement("R72")
async def test_nobody_reacts_and_the_clocks_tell_ever_higher(house: House) -> None:
    rita = await hire(house, "rita")
    boss = await hire(house, "boss", Role.ADMIN)
    await happens(house, DELIVERY)
    await answer(house, await first_mail(house, DELIVERY.person["email"]), 1)
    opened = house.clock.now()
    told = []
    for hours in (11, 13, 25, 47, 49):
        await house.until(opened + timedelta(hours=hours))
        told.append((len(house.mails(rita.email)), len(house.mails(boss.email))))
    assert [to_rita for to_rita, _ in told[:3]] == [1, 2, 3]
    assert told[4][1] == told[3][1] + 1, "leadership hears of the hard limit"
    books = await balanced(house)
    assert books.alerts.breaches == {"contact": 1, "leadership": 1}


async def test_a_mail_gateway_that_opens_every_link_and_presses_every_button_counts_nowhere(
    house: House,
) -> None:
    rita = await hire(house, "rita")
    await happens(house, DELIVERY)
    mail = await first_mail(house, DELIVERY.person["email"])
    await scan(house, mail)
    await house.later(hours=3)
    books = await balanced(house)
    assert (books.scoring.answered, books.alerts.tickets, books.alerts.unhappy) == (0, {}, 0)
    assert books.collector.observations["opened"] >= 5
    assert house.mails(rita.email) == []
    assert books.trigger.suppressed == {}, "opening the stop link must not stop mails"

    # The person behind the gateway is still heard, and then stands for the survey.
    await answer(house, mail, 4, why_high="All well, thank you.")
    await house.later(hours=1)
    books = await balanced(house)
    (told,) = books.scoring.programmes
    assert (told.n, told.score, books.alerts.tickets) == (1, 100.0, {})


@ON_KAFKA_TOO
async def test_an_erased_person_goes_dark_everywhere(house: House) -> None:
    await hire(house, "rita")
    await happens(house, DELIVERY)
    mail = await first_mail(house, DELIVERY.person["email"])
    await answer(house, mail, 1, why_low="My name is Joe Berg and I am cross.")
    await happens(house, ONBOARDING, contact=DELIVERY.person)
    await house.later(hours=1)
    await house.tell("contact.deleted", contact={"id": DELIVERY.person["id"]}, account=ACME)
    await house.later(days=30)
    books = await balanced(house)
    assert (books.trigger.pending, books.trigger.cancelled) == (0, 1)
    assert len(house.mails(DELIVERY.person["email"])) == 2, "what was asked, and the first reply"
    assert books.scoring.answered == 1, "the answer still counts, without its person"
    assert (await visit(house, mail.survey)).status_code == 410
    assert await house.admin.fetchval("select count(*) from keys.data_keys where destroyed_at is null") == 0
    for name, running in house.running.items():
        async with running.platform.db.read() as conn:
            texts = await conn.fetch(
                "select table_name, column_name from information_schema.columns"
                " where table_schema = $1 and data_type in ('text', 'jsonb', 'ARRAY')",
                name,
            )
            for table, column in texts:
                found = await conn.fetchval(
                    f"select count(*) from {table} where \"{column}\"::text ~* '(joe@acme|joe berg|cross)'"
                )
                assert not found, f"{name}.{table}.{column} still names the erased person"


@ON_KAFKA_TOO
async def test_a_malformed_event_is_put_aside_and_stops_nobody(house: House) -> None:
    await house.tell("order.delivered", account=ACME, subject=ORDER, contact=DELIVERY.person)
    await house.bus.produce([Outgoing("afterword.touchpoints", b"acme", b"{", (("ce_id", b"1"),))])
    await house.tell("customer.signed_up", account=ACME, contact=ONBOARDING.person, product="Nordlicht Cloud")
    await house.later(days=2)
    books = await read_books(house)
    books.assert_balanced()
    assert books.trigger.planned == 2
    assert books.dead == {"trigger": 1, "dispatch": 0, "collector": 0, "scoring": 0, "alerts": 0}


def _first_cause(html: str) -> str:
    """The first cause that the page offers."""
    start = html.index('name="cause"')
    values = [
        part.split('"')[1] for part in html[start : start + 2000].split("<option")[1:] if 'value="' in part
    ]
    return next(value for value in values if value)
