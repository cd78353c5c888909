"""Storms: which answers are one case, and how often anybody is paged because of them."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain import ticket as life
from services.alerts.domain.case import WINDOW, Case, hear
from services.alerts.domain.causes import DEFAULT_CAUSES, find
from services.alerts.domain.model import Answer, Occasion, Step
from services.alerts.domain.paging import EVERY, Door, Page, gather, split
from shared.contracts.tickets import TicketState
from shared.runtime.ids import derive
from tests.support.alerts import HOUR, REP, T0, answer, snapshot

SECOND = timedelta(seconds=1)
MISTAKE = find(DEFAULT_CAUSES, "mistake")


def about(response: str, incident: str, at: datetime) -> Answer:
    return answer(response, at=at, contact=response, snapshot=snapshot(context={"incident_id": incident}))


def hears(case: Case, said: Answer) -> Case:
    return case.after(hear(case, said, derive("ticket", said.response_id), lambda: REP))


def ended(case: Case, at: datetime) -> Case:
    assert MISTAKE is not None
    assert case.current is not None
    step = life.resolve(case.current, derive("user", "ana"), at, MISTAKE, "not them", attempts=0)
    assert isinstance(step, Step)
    return case.after((step,))


@pytest.mark.parametrize(
    ("after", "tickets"),
    [pytest.param(WINDOW - SECOND, 1, id="within the window"), pytest.param(WINDOW, 2, id="after it")],
)
def test_answers_that_come_close_together_are_one_case_even_when_it_had_ended(
    after: timedelta, tickets: int
) -> None:
    case = ended(hears(Case(answer().case_key), answer("r1")), T0 + timedelta(minutes=5))
    case = hears(case, answer("r2", contact="bo", at=T0 + after))
    assert len(case.tickets) == tickets
    assert case.current is not None
    assert case.current.state is TicketState.OPEN
    assert case.current.run.contact_due_at == T0 + after + 24 * HOUR


def test_a_late_voice_of_an_incident_belongs_to_its_ticket() -> None:
    case = ended(hears(Case(answer().case_key), about("r1", "INC-7", T0)), T0 + HOUR)
    case = hears(case, about("r2", "INC-7", T0 + 100 * HOUR))
    assert [len(ticket.voices) for ticket in case.tickets] == [2]
    other = ended(case, T0 + 101 * HOUR)
    assert len(hears(other, about("r3", "INC-8", T0 + 200 * HOUR)).tickets) == 2


def test_the_subject_of_a_survey_says_its_incident_first() -> None:
    ticket = life.open_(
        answer(snapshot=snapshot(subject_kind="incident", subject_id="42", context={"incident": "x"})),
        derive("ticket"),
        REP,
    ).ticket
    assert ticket.incident == "42"
    assert life.open_(answer(), derive("ticket"), REP).ticket.incident == ""


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "A", "B"]), st.integers(0, 400), st.booleans()),
        min_size=1,
        max_size=25,
    )
)
def test_an_account_has_at_most_one_ticket_for_an_incident_and_loses_no_voice(
    said: list[tuple[str, int, bool]],
) -> None:
    case, at = Case(answer().case_key), T0
    for number, (incident, minutes, ends) in enumerate(said):
        at += timedelta(minutes=minutes)
        one = about(f"r{number}", incident, at) if incident else answer(f"r{number}", at=at)
        case = hears(case, one)
        case = ended(case, at) if ends else case
    opened_for = Counter(ticket.incident for ticket in case.tickets if ticket.incident)
    assert all(count == 1 for count in opened_for.values())
    assert sum(ticket.is_open for ticket in case.tickets) <= 1
    assert sum(len(ticket.voices) for ticket in case.tickets) == len(said)


DOORS = st.sampled_from([("email", "rita"), ("email", "ola"), ("slack", "team")])
OCCASIONS = st.sampled_from([Occasion.OPENED, Occasion.JOINED, Occasion.LATE, Occasion.LEADERSHIP])


def waiting(number: int, occasion: Occasion, door: Door, at: datetime = T0) -> Page:
    return Page(derive("notice", number), derive("ticket", number), occasion, door, at)


@given(st.lists(st.tuples(OCCASIONS, DOORS, st.integers(0, 600)), max_size=60))
def test_nobody_is_paged_twice_within_a_quarter_of_an_hour_and_nothing_is_lost(
    storm: list[tuple[Occasion, Door, int]],
) -> None:
    """A day of notices, second by second, through the same two decisions that the service makes."""
    now, told = T0, 0
    paged: dict[Door, datetime] = {}
    rung: dict[Door, list[datetime]] = {}
    held: dict[Door, list[Page]] = {}

    def release() -> int:
        count = 0
        for door, pages in list(held.items()):
            if pages and paged[door] + EVERY <= now:
                tickets = {page.ticket_id for page in pages}
                found = gather(pages, tickets, tickets)
                assert found.lead is not None
                assert found.silent == ()
                rung[door].append(now)
                paged[door], held[door] = now, []
                count += 1 + len(found.others)
        return count

    for number, (occasion, door, seconds) in enumerate(storm):
        now += timedelta(seconds=seconds)
        told += release()
        busy = {d: at + EVERY for d, at in paged.items() if at + EVERY > now or held.get(d)}
        found = split([(occasion, door)], busy, now, EVERY)
        if found.now:
            rung.setdefault(door, []).append(now)
            paged[door] = now
            told += 1
        else:
            held.setdefault(door, []).append(waiting(number, occasion, door, now))
    now += EVERY
    told += release()
    assert told == len(storm)
    for times in rung.values():
        assert all(later - earlier >= EVERY for earlier, later in pairwise(times))


def test_the_first_notice_of_a_batch_goes_out_and_the_others_wait() -> None:
    rita, team = ("email", "rita"), ("slack", "team")
    found = split([(Occasion.OPENED, rita), (Occasion.OPENED, rita), (Occasion.LATE, team)], {}, T0, EVERY)
    assert (found.now, found.held) == ((0, 2), {1: T0 + EVERY})
    without = split([(Occasion.OPENED, rita)] * 3, {}, T0, timedelta())
    assert without.now == (0, 1, 2)


def test_what_somebody_just_did_and_what_failed_is_told_at_once() -> None:
    busy = {("email", "rita"): T0 + HOUR}
    for occasion in (Occasion.ASSIGNED, Occasion.UNREACHABLE):
        assert split([(occasion, ("email", "rita"))], busy, T0, EVERY).now == (0,)


def test_the_gravest_leads_and_what_no_longer_matters_stays_silent() -> None:
    door = ("email", "rita")
    opened, late, over, taken = (
        waiting(n, occasion, door)
        for n, occasion in enumerate([Occasion.OPENED, Occasion.LATE, Occasion.LATE, Occasion.OPENED])
    )
    still = {opened.ticket_id, late.ticket_id, taken.ticket_id}
    found = gather([opened, late, over, taken], still, {opened.ticket_id, late.ticket_id})
    assert (found.lead, found.others, found.silent) == (late, (opened,), (over, taken))
    assert gather([over], set(), set()).lead is None
    end = waiting(9, Occasion.RESOLVED, door)
    assert gather([end], set(), set()).lead == end


def test_a_quarter_of_an_hour_is_the_promise() -> None:
    assert timedelta(minutes=15) == EVERY
