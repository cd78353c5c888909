"""The life of a ticket, and which ticket an answer belongs to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.alerts.domain import ticket as life
from services.alerts.domain.case import Case, hear
from services.alerts.domain.causes import DEFAULT_CAUSES, Cause, find
from services.alerts.domain.clocks import Level
from services.alerts.domain.model import Answer, Kind, Owner, Refused, Standing, Step, Ticket, VoiceState
from shared.contracts.responses import Mood
from shared.contracts.tickets import TicketState
from shared.runtime.ids import derive
from tests.support.alerts import HOUR, REP, T0, answer

ANA, BEN = derive("user", "ana"), derive("user", "ben")
PRODUCT, NOT_REACHED, MISTAKE = (
    cause for key in ("product_defect", "not_reached", "mistake") if (cause := find(DEFAULT_CAUSES, key))
)


def tell(case: Case, said: Answer) -> tuple[Case, tuple[Step, ...]]:
    steps = hear(case, said, derive("ticket", said.response_id, said.version), lambda: REP)
    return case.after(steps), steps


def story(*said: Answer) -> Case:
    case = Case(said[0].case_key)
    for one in said:
        case, _ = tell(case, one)
    return case


def only(case: Case) -> Ticket:
    (ticket,) = case.tickets
    return ticket


def done(step: Step | Refused) -> Ticket:
    assert isinstance(step, Step), step
    return step.ticket


def types(steps: tuple[Step, ...]) -> list[str]:
    return [event.TYPE for step in steps for event in step.events]


@pytest.mark.requirement("R72", "R95")
def test_an_unhappy_answer_opens_a_ticket_with_its_clock_from_the_answer_on() -> None:
    _, (step,) = tell(Case(answer().case_key), answer())
    assert step.ticket.state is TicketState.OPEN
    assert step.ticket.run.contact_due_at == T0 + 24 * HOUR
    assert types((step,)) == ["ticket.opened.v1"]
    assert step.events[0].contact_due_at == T0 + 24 * HOUR


@pytest.mark.parametrize(
    "quiet",
    [
        pytest.param(answer(score=9), id="happy"),
        pytest.param(answer(mood=Mood.PASSIVE, score=7), id="passive"),
        pytest.param(answer(standing=Standing.HELD), id="held"),
        pytest.param(answer(wants_ticket=False), id="the programme wants none"),
    ],
)
def test_others_open_none(quiet: Answer) -> None:
    assert tell(Case(quiet.case_key), quiet)[1] == ()


def test_a_further_voice_of_the_account_joins_the_open_ticket() -> None:
    ticket = only(story(answer("r1"), answer("r2", contact="bo", at=T0 + HOUR)))
    assert [voice.response_id for voice in ticket.voices] == [
        derive("response", "r1"),
        derive("response", "r2"),
    ]
    assert ticket.run.contact_due_at == T0 + 24 * HOUR


def test_a_voice_that_joins_after_the_contact_needs_a_contact_of_its_own() -> None:
    case = story(answer("r1"))
    contacted = done(life.contact(only(case), ANA, T0 + HOUR, {}, "called"))
    case, steps = tell(Case(case.key, (contacted,)), answer("r2", contact="bo", at=T0 + 5 * HOUR))
    assert only(case).state is TicketState.OPEN
    assert only(case).run.contact_due_at == T0 + 29 * HOUR
    assert types(steps) == ["ticket.reopened.v1", "ticket.joined.v1"]
    assert [event.version for event in steps[0].events] == [3, 4]


def test_a_ticket_that_ended_takes_no_new_voice() -> None:
    ended = done(life.resolve(only(story(answer("r1"))), ANA, T0 + HOUR, MISTAKE, "not them", attempts=0))
    case, steps = tell(Case(ended.case_key, (ended,)), answer("r2", at=T0 + 2 * HOUR))
    assert types(steps) == ["ticket.opened.v1"]
    assert [ticket.is_open for ticket in case.tickets] == [False, True]


def test_a_better_amendment_closes_an_untouched_ticket() -> None:
    case = story(answer(), answer(score=9, version=2, at=T0 + HOUR))
    assert (only(case).state, only(case).how) == (TicketState.CLOSED, "amended")


def test_a_better_amendment_proposes_closing_a_touched_ticket() -> None:
    tried = done(life.attempt(only(story(answer())), ANA, T0 + HOUR, {"via": "phone"}, ""))
    case, steps = tell(Case(tried.case_key, (tried,)), answer(score=9, version=2, at=T0 + 2 * HOUR))
    ticket = only(case)
    assert (ticket.state, ticket.proposal) == (TicketState.OPEN, "amended")
    assert types(steps) == []
    closed = done(life.accept_proposal(ticket, ANA, T0 + 3 * HOUR))
    assert (closed.state, closed.how) == (TicketState.CLOSED, "amended")


def test_one_better_voice_of_two_keeps_the_ticket_open() -> None:
    case = story(answer("r1"), answer("r2", contact="bo"), answer("r1", score=9, version=2, at=T0 + HOUR))
    assert only(case).state is TicketState.OPEN
    assert [voice.state for voice in only(case).voices] == [VoiceState.IMPROVED, VoiceState.UNHAPPY]


def test_an_edit_down_opens_a_ticket_from_then_on() -> None:
    case = story(answer(score=9), answer(score=3, version=2, at=T0 + 30 * HOUR))
    assert only(case).run.contact_due_at == T0 + 54 * HOUR


def test_down_again_after_closing_opens_the_same_ticket_anew() -> None:
    case = story(answer(), answer(score=9, version=2, at=T0 + HOUR), answer(version=3, at=T0 + 2 * HOUR))
    ticket = only(case)
    assert (ticket.state, ticket.run.generation) == (TicketState.OPEN, 2)
    assert ticket.run.contact_due_at == T0 + 26 * HOUR
    assert ticket.ended_at is None


def test_down_again_while_another_case_is_open_moves_the_voice_there() -> None:
    case = story(
        answer("r1"),
        answer("r1", score=9, version=2, at=T0 + HOUR),
        answer("r2", at=T0 + 2 * HOUR),
        answer("r1", version=3, at=T0 + 3 * HOUR),
    )
    holders = [ticket for ticket in case.tickets if ticket.voice(derive("response", "r1"))]
    assert holders == [case.current]
    assert len(case.tickets) == 2


def test_a_verdict_that_withdraws_the_answer_closes_the_untouched_ticket() -> None:
    gone = answer(standing=Standing.WITHDRAWN, version=2, at=T0 + HOUR, spoken=False)
    assert only(story(answer(), gone)).how == "withdrawn"


def test_unhappy_words_after_the_resolution_open_the_case_again() -> None:
    case = story(answer())
    contacted = done(life.contact(only(case), ANA, T0 + HOUR, {}, ""))
    resolved = done(life.resolve(contacted, ANA, T0 + 2 * HOUR, PRODUCT, "fixed", attempts=0))
    case, steps = tell(Case(case.key, (resolved,)), answer(version=2, at=T0 + 9 * HOUR))
    assert types(steps) == ["ticket.reopened.v1"]
    assert only(case).run.contact_due_at == T0 + 33 * HOUR


def test_a_mere_verdict_leaves_a_resolved_case_alone() -> None:
    case = story(answer())
    resolved = done(life.resolve(only(case), ANA, T0 + HOUR, MISTAKE, "theirs", attempts=0))
    case, steps = tell(Case(case.key, (resolved,)), answer(version=2, at=T0 + 9 * HOUR, spoken=False))
    assert (types(steps), only(case).state) == ([], TicketState.RESOLVED)


def test_acknowledging_does_not_stop_the_clock() -> None:
    taken = done(life.acknowledge(only(story(answer())), BEN, T0 + HOUR))
    assert (taken.state, taken.owner) == (TicketState.ACKNOWLEDGED, Owner(BEN, "took it"))
    assert life.ring(taken, T0 + 12 * HOUR).ticket.run.told is Level.REMINDER


def test_two_who_acknowledge_do_not_both_get_it() -> None:
    taken = done(life.acknowledge(only(story(answer())), BEN, T0 + HOUR))
    assert life.acknowledge(taken, BEN, T0 + 2 * HOUR) == Step(taken)
    assert isinstance(life.acknowledge(taken, ANA, T0 + 2 * HOUR), Refused)


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("cause", "contacted", "attempts", "note", "allowed"),
    [
        pytest.param(PRODUCT, True, 0, "fixed", True, id="contacted"),
        pytest.param(PRODUCT, False, 9, "fixed", False, id="nobody spoke with them"),
        pytest.param(PRODUCT, True, 0, "  ", False, id="nothing learned"),
        pytest.param(NOT_REACHED, False, 2, "tried", False, id="tried too seldom"),
        pytest.param(NOT_REACHED, False, 3, "tried", True, id="tried often enough"),
        pytest.param(MISTAKE, False, 0, "wrong address", True, id="no case at all"),
    ],
)
def test_a_case_ends_with_a_cause_and_what_was_learned(
    cause: Cause, contacted: bool, attempts: int, note: str, allowed: bool
) -> None:
    ticket = only(story(answer()))
    if contacted:
        ticket = done(life.contact(ticket, ANA, T0 + HOUR, {}, ""))
    step = life.resolve(ticket, ANA, T0 + 2 * HOUR, cause, note, attempts=attempts)
    assert isinstance(step, Step) is allowed


def test_nothing_rings_after_the_end() -> None:
    ended = done(life.resolve(only(story(answer())), ANA, T0 + HOUR, MISTAKE, "no", attempts=0))
    assert life.ring(ended, T0 + timedelta(days=60)) == Step(ended)


def test_a_verdict_on_a_settled_answer_does_not_drag_it_into_a_new_case() -> None:
    settled = done(life.resolve(only(story(answer("r1"))), ANA, T0 + HOUR, MISTAKE, "no", attempts=0))
    case, _ = tell(Case(settled.case_key, (settled,)), answer("r2", at=T0 + 2 * HOUR))
    case, steps = tell(case, answer("r1", version=2, at=T0 + 3 * HOUR, spoken=False))
    assert types(steps) == []
    assert [len(ticket.voices) for ticket in case.tickets] == [1, 1]


def test_a_further_contact_is_a_follow_up() -> None:
    once = done(life.contact(only(story(answer())), ANA, T0 + HOUR, {}, "first"))
    again = life.contact(once, BEN, T0 + 5 * HOUR, {}, "second")
    assert isinstance(again, Step)
    assert again.events == ()
    assert again.ticket.run.contacted_at == T0 + HOUR


def test_giving_a_case_to_its_owner_changes_nothing() -> None:
    given = done(life.assign(only(story(answer())), ANA, T0, BEN))
    assert life.assign(given, ANA, T0 + HOUR, BEN) == Step(given)


def test_a_case_is_closed_on_a_proposal_alone() -> None:
    ticket = only(story(answer()))
    assert isinstance(life.accept_proposal(ticket, ANA, T0), Refused)
    ended = done(life.resolve(ticket, ANA, T0 + HOUR, MISTAKE, "no", attempts=0))
    assert life.accept_proposal(ended, ANA, T0) == Step(ended)


def test_a_reopened_case_starts_new_clocks() -> None:
    ended = done(life.resolve(only(story(answer())), ANA, T0 + HOUR, MISTAKE, "no", attempts=0))
    step = life.reopen(ended, T0 + 100 * HOUR, BEN)
    assert step.ticket.run.contact_due_at == T0 + 124 * HOUR
    assert step.ticket.run.resolve_due_at == T0 + 100 * HOUR + timedelta(days=14)
    assert step.entries[0].kind is Kind.REOPENED


@pytest.mark.parametrize("act", ["acknowledge", "attempt", "contact", "assign"])
def test_an_ended_case_takes_no_more_work(act: str) -> None:
    ended = done(life.resolve(only(story(answer())), ANA, T0 + HOUR, MISTAKE, "no", attempts=0))
    tries = {
        "acknowledge": lambda: life.acknowledge(ended, ANA, T0),
        "attempt": lambda: life.attempt(ended, ANA, T0, {}, ""),
        "contact": lambda: life.contact(ended, ANA, T0, {}, ""),
        "assign": lambda: life.assign(ended, ANA, T0, BEN),
    }
    assert isinstance(tries[act](), Refused)


def test_a_note_does_not_disturb_who_looks_at_the_page() -> None:
    ticket = only(story(answer()))
    assert life.write(ticket, ANA, T0, "remember").ticket.edited == ticket.edited
    assert done(life.assign(ticket, ANA, T0, BEN)).edited > ticket.edited
    assert replace(ticket, version=9).edited == ticket.edited
