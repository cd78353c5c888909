"""Did we fix it? The customer's word closes or opens a case, and the case tells who was asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.alerts.domain.model import Refused
from services.alerts.domain.outcomes import Outcomes, total
from services.alerts.handlers.actions import Action, Wish, act, settle
from services.alerts.pages.timeline import Reader, asked
from services.alerts.store import outcomes, questions
from shared.contracts.cases import QuestionDecided
from shared.contracts.deliveries import DeliveryHandedOver, DeliverySuppressed
from shared.contracts.directory import AccountChanged, ContactChanged
from shared.contracts.forms import QuestionType
from shared.contracts.model import Channel
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.responses import Mood, ResponseHeld, ResponseSubmitted, Score
from shared.contracts.surveys import CloseTheLoop
from shared.contracts.touchpoints import CASE_RESOLVED
from shared.runtime.ids import derive
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, T0, event, snapshot

STATE = "select state, generation, confirmed_at is not null, denied_at is not null from tickets"
SAID = T0 + timedelta(days=3)


async def resolved(office: Office, **who: Any) -> UUID:
    """A case that Rita resolved after a call."""
    await office.hears(await office.says.answered("r1", 2, T0, **who))
    ((ticket_id,),) = await office.rows("select id from tickets")
    rita = office.team.ids["rita"]
    async with office.db.begin() as tx:
        await act(office.desk, tx, ticket_id, Wish(Action.CONTACT, rita, via="phone"))
        await act(office.desk, tx, ticket_id, Wish(Action.RESOLVE, rita, cause="other", note="Mended."))
    assert isinstance(ticket_id, UUID)
    return ticket_id


async def says(office: Office, ticket: UUID, *, fixed: bool, name: str = "fixed", **more: Any) -> Any:
    """The customer's answer to the question about a case; `asked` says who was, by account and contact."""
    return await office.says.answered(
        name,
        int(fixed),
        SAID,
        snapshot=about(ticket, **more.get("asked", {})),
        **more.pop("asked", {}),
        mood=Mood.HAPPY if fixed else Mood.UNHAPPY,
        scores=(Score(question="score", type=QuestionType.YES_NO, value=int(fixed)),),
        close_the_loop=CloseTheLoop(ticket=False),
        low=0,
        **more,
    )


def about(ticket: UUID, **who: Any) -> Any:
    case = {"case": str(ticket), "run": "1"}
    return snapshot(**who, programme="recovery", touchpoint=CASE_RESOLVED, context=case)


def decided(ticket: UUID, outcome: Outcome, reason: Reason | None = None, **more: Any) -> Any:
    """What trigger decided about asking Ana."""
    at = more.pop("at", T0 + HOUR)
    told = QuestionDecided(
        question_id=str(derive("survey", "fixed")),
        ticket_id=str(ticket),
        run=1,
        contact_id=str(derive("contact", "ana")),
        programme="recovery",
        outcome=outcome,
        reason=reason,
        at=at,
        **more,
    )
    return event(told, at)


def delivered(ticket: UUID, model: Any = DeliveryHandedOver, **more: Any) -> Any:
    """What dispatch says of the mail."""
    told = model(
        delivery_id=str(derive("delivery", "fixed")),
        version=2,
        survey_id=str(derive("survey", "fixed")),
        channel=Channel.EMAIL,
        snapshot=about(ticket),
        at=T0 + timedelta(days=1),
        **more,
    )
    return event(told, T0 + timedelta(days=1))


async def lines(office: Office, ticket: UUID) -> list[str]:
    """What the case says about who was asked."""
    reader = Reader({}, {derive("contact", "ana"): "Ana"}, ())
    async with office.db.read() as conn:
        return [
            asked(one, reader, office.clock.now()).text for one in await questions.of_ticket(conn, ticket)
        ]


@pytest.mark.requirement("R72")
async def test_a_yes_confirms_the_case_once(office: Office) -> None:
    ticket = await resolved(office)
    yes = await says(office, ticket, fixed=True, words="All good now.")
    await office.hears(yes)
    await office.hears(yes)
    assert await office.rows(STATE) == [("resolved", 1, True, False)]
    assert (await office.emitted())[-1] == "ticket.recovered"
    told = await office.rows("select count(*) from notices where occasion = 'confirmed'")
    assert told == [(1,)], "its owner hears of it, once"


@pytest.mark.requirement("R72", "R78")
async def test_a_no_opens_the_case_again_and_tells_the_managers_at_once(office: Office) -> None:
    ticket = await resolved(office)
    office.clock.set(SAID)
    await office.hears(await says(office, ticket, fixed=False, words="It still breaks."))
    assert await office.rows(STATE) == [("open", 2, False, True)]
    assert (await office.emitted())[-1] == "ticket.reopened"
    told = await office.rows("select recipient from notices where occasion = 'denied' and channel = 'email'")
    mia = str(office.team.ids["mia"])
    assert mia in {to for (to,) in told}
    assert await office.rows("select count(*) from tickets") == [(1,)], "no second case comes of it"
    noted = await office.rows("select kind from timeline where note <> '' order by id")
    assert noted[-1] == ("denied",)


def merged(*, person: bool) -> Any:
    """Acme, or Ana where there is no account, is known under another id from now on."""
    if person:
        ana, anna = str(derive("contact", "ana")), str(derive("contact", "anna"))
        return event(ContactChanged(contact_id=ana, version=2, merged_into=anna), T0 + HOUR)
    acme, group = str(derive("account", "acme")), str(derive("account", "group"))
    return event(AccountChanged(account_id=acme, version=2, merged_into=group), T0 + HOUR)


def sides(*, person: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Whose an answer is, before they were merged and after it."""
    if person:
        return {"account": None, "contact": "ana"}, {"account": None, "contact": "anna"}
    return {"account": "acme"}, {"account": "group"}


@pytest.mark.requirement("R72")
@pytest.mark.parametrize("person", [False, True])
async def test_the_no_of_a_customer_who_was_merged_is_heard_in_the_case_that_is_open(
    office: Office, *, person: bool
) -> None:
    mine, theirs = sides(person=person)
    ticket = await resolved(office, **mine)
    await office.hears(merged(person=person))
    await office.hears(await office.says.answered("r2", 1, T0 + 2 * HOUR, **theirs))
    office.clock.set(SAID)
    await office.hears(await says(office, ticket, fixed=False, words="It still breaks.", asked=theirs))
    stands = "select id = $1, state, denied_at is not null from tickets order by opened_at"
    assert await office.rows(stands, ticket) == [(True, "resolved", False), (False, "open", True)]
    noted = "select ticket_id = $1, data ? 'of' from timeline where kind = 'denied'"
    heard = await office.rows(noted, ticket)
    assert sorted(heard) == [(False, True), (True, False)]
    told = await office.rows(
        "select distinct ticket_id = $1 from (select ticket_id, occasion from notices "
        "union all select ticket_id, occasion from held_notices) n where occasion = 'denied'",
        ticket,
    )
    assert told == [(False,)], "those are told who have the open case"
    rita = office.team.ids["rita"]
    for action in (Action.DENY, Action.REOPEN):
        async with office.db.begin() as tx:
            assert isinstance(await act(office.desk, tx, ticket, Wish(action, rita)), Refused)


@pytest.mark.requirement("R72")
@pytest.mark.parametrize("person", [False, True])
async def test_the_no_of_a_customer_who_was_merged_opens_the_case_that_it_is_about(
    office: Office, *, person: bool
) -> None:
    mine, theirs = sides(person=person)
    ticket = await resolved(office, **mine)
    await office.hears(merged(person=person))
    await office.hears(await says(office, ticket, fixed=False, model=ResponseHeld, asked=theirs))
    office.clock.set(SAID)
    async with office.db.begin() as tx:
        rita = office.team.ids["rita"]
        assert await settle(office.desk, tx, derive("response", "fixed"), rita, real=True)
    assert await office.rows(STATE) == [("open", 2, False, True)]
    await office.hears(await office.says.answered("r2", 1, SAID + HOUR, **theirs))
    assert await office.rows("select count(*) from tickets") == [(1,)], "what comes later joins it"


async def test_a_held_no_counts_for_nothing_until_somebody_says_that_it_is_real(office: Office) -> None:
    ticket = await resolved(office)
    await office.hears(await says(office, ticket, fixed=False, model=ResponseHeld))
    assert await office.rows(STATE) == [("resolved", 1, False, False)]
    assert await office.rows("select state from unconfirmed") == [("waiting",)]
    async with office.db.begin() as tx:
        rita = office.team.ids["rita"]
        assert await settle(office.desk, tx, derive("response", "fixed"), rita, real=True)
    assert await office.rows(STATE) == [("open", 2, False, True)]


async def test_a_no_and_the_yes_of_a_colleague_leave_it_open(office: Office) -> None:
    ticket = await resolved(office)
    no = await says(office, ticket, fixed=False)
    yes = await says(office, ticket, fixed=True, name="other", contact="bo", model=ResponseSubmitted)
    await office.hears(no, yes)
    assert await office.rows(STATE) == [("open", 2, False, True)]


async def test_the_case_tells_who_is_asked_and_that_silence_confirms_nothing(office: Office) -> None:
    ticket = await resolved(office)
    due, closes = T0 + timedelta(days=1), T0 + timedelta(days=15)
    await office.hears(decided(ticket, Outcome.PLANNED, until=due))
    assert await lines(office, ticket) == ["Ana is to be asked on 4 Mar whether it is mended"]
    await office.hears(decided(ticket, Outcome.DEFERRED, Reason.PAUSED, until=due, at=due))
    assert "it waits, because sending was paused" in (await lines(office, ticket))[0]
    await office.hears(delivered(ticket))
    await office.hears(decided(ticket, Outcome.REQUESTED, until=closes, at=due))
    (sent,) = await lines(office, ticket)
    assert sent == "Ana was asked whether it is mended (programme recovery); no answer yet"
    office.clock.set(closes)
    assert (await lines(office, ticket))[0].endswith("no answer came until 18 Mar")
    assert await office.rows(STATE) == [("resolved", 1, False, False)]
    await office.hears(await says(office, ticket, fixed=True))
    assert (await lines(office, ticket))[0].endswith("(programme recovery)")


@pytest.mark.parametrize(
    ("outcome", "reason", "why"),
    [
        (Outcome.SUPPRESSED, Reason.OPTED_OUT, "they do not want mails"),
        (Outcome.NOT_MATCHED, Reason.FILTERED, "nobody spoke with them"),
        (Outcome.CANCELLED, Reason.CANCELLED, "the case is open again"),
    ],
)
async def test_the_case_tells_why_somebody_is_not_asked(
    office: Office, outcome: Outcome, reason: Reason, why: str
) -> None:
    ticket = await resolved(office)
    await office.hears(decided(ticket, outcome, reason))
    assert await lines(office, ticket) == [f"Ana is not asked whether it is mended: {why}"]


async def test_a_mail_that_did_not_arrive_is_told_and_unknown_cases_are_left_alone(office: Office) -> None:
    ticket = await resolved(office)
    await office.hears(delivered(ticket, DeliverySuppressed, reason=Reason.BOUNCED))
    assert await lines(office, ticket) == [
        "The question to Ana whether it is mended did not arrive: earlier mails came back"
    ]
    await office.hears(delivered(derive("ticket", "elsewhere")))
    assert await office.rows("select count(*) from questions") == [(1,)]


@pytest.mark.requirement("R72")
async def test_how_cases_turned_out_is_counted_by_team_and_owner(office: Office) -> None:
    async def now() -> Outcomes:
        async with office.db.read() as conn:
            return total((await outcomes.since(conn, T0 - HOUR)).values())

    ticket = await resolved(office)
    office.clock.set(SAID)
    assert await now() == Outcomes(cases=1)
    await office.hears(await says(office, ticket, fixed=False))
    assert await now() == Outcomes(cases=1, reopened=1, open=1)
    rita = office.team.ids["rita"]
    async with office.db.begin() as tx:
        await act(office.desk, tx, ticket, Wish(Action.CONTACT, rita, via="phone"))
        await act(office.desk, tx, ticket, Wish(Action.RESOLVE, rita, cause="other", note="Now."))
        await act(office.desk, tx, ticket, Wish(Action.CONFIRM, rita))
    assert await now() == Outcomes(cases=1, confirmed=1, reopened=1)
    async with office.db.read() as conn:
        ((team, owner),) = await outcomes.since(conn, T0 - HOUR)
        assert (team, owner) == ("", rita)
        assert await outcomes.since(conn, SAID + HOUR) == {}
