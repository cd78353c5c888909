"""While nobody takes a case: each step in its time, to each person once, and none after an acknowledge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.domain import escalation, undoing
from services.alerts.domain import ticket as life
from services.alerts.domain.alarm import Alarm, compose
from services.alerts.domain.calendars import Calendar
from services.alerts.domain.escalating import coming
from services.alerts.domain.escalation import DEFAULT, EscalationPolicy, EscalationStep
from services.alerts.domain.model import Entry, Kind, Occasion, Owner, Step
from services.alerts.domain.priority import Priority
from services.alerts.domain.routing import Staff, recipients
from services.alerts.handlers.taking import ASKING
from services.alerts.pages.timeline import Reader, coming_words, sentence
from services.alerts.store.views import TimelineRow
from shared.contracts.forms import QuestionType
from shared.contracts.tickets import TicketState
from tests.support.alerts import answer
from tests.support.untaken import IDS, MINUTE, NIGHT, ROOMS, due, opened, rings, staff


def told(step: Step, everybody: Staff) -> list[str]:
    """Names and rooms that are told."""
    names = {str(user_id): name for name, user_id in IDS.items()}
    found = [one for tell in step.tells for one in recipients(tell, step.ticket, everybody, ROOMS)]
    return [names.get(one.to, one.channel) for one in found]


@pytest.mark.requirement("R72")
def test_an_urgent_case_at_three_in_the_morning_reaches_the_next_on_call_then_the_manager_and_again() -> None:
    ticket = opened()
    seen: list[tuple[int, str]] = []
    for minute in range(24 * 60):
        step = rings(ticket, NIGHT + minute * MINUTE)
        ticket = step.ticket
        seen += [(minute, who) for who in told(step, staff())]
    # 3 March 2026 is day 57 after the first hand-over: rita is on call, ola comes next.
    assert seen == [(15, "ola"), (30, "mia"), (45, "ola"), (60, "mia")]
    assert due(ticket) is None


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        pytest.param(timedelta(minutes=15) - timedelta(microseconds=1), [], id="just before"),
        pytest.param(timedelta(minutes=15), ["ola"], id="at its time"),
    ],
)
def test_a_step_is_told_at_its_time_and_not_before(minutes: timedelta, expected: list[str]) -> None:
    assert told(rings(opened(), NIGHT + minutes), staff()) == expected


def test_the_timer_is_that_of_the_next_step() -> None:
    ticket = opened()
    assert due(ticket) == NIGHT + 15 * MINUTE
    assert due(rings(ticket, NIGHT + 15 * MINUTE).ticket) == NIGHT + 30 * MINUTE


@pytest.mark.requirement("R72")
def test_an_acknowledge_ends_the_steps_and_taking_it_back_lets_them_go_on() -> None:
    ticket = rings(opened(), NIGHT + 15 * MINUTE).ticket
    taken = life.acknowledge(ticket, IDS["ola"], NIGHT + 20 * MINUTE)
    assert isinstance(taken, Step)
    taken = undoing.remember(ticket, taken, "acknowledge", IDS["ola"], NIGHT + 20 * MINUTE)
    assert due(taken.ticket) is None
    assert rings(taken.ticket, NIGHT + 31 * MINUTE).tells == ()
    back = undoing.undo(taken.ticket, IDS["ola"], NIGHT + 32 * MINUTE)
    assert isinstance(back, Step)
    assert due(back.ticket) == NIGHT + 30 * MINUTE
    assert told(rings(back.ticket, NIGHT + 32 * MINUTE), staff()) == ["mia"]


@pytest.mark.requirement("R72")
def test_a_case_that_is_over_has_no_steps_and_one_that_is_open_again_has_all() -> None:
    ticket = rings(opened(), NIGHT + 16 * MINUTE).ticket
    closed = life.soften(ticket, replace(answer("r1", 9, version=2), since=NIGHT + 17 * MINUTE)).ticket
    assert not closed.is_open
    assert rings(closed, NIGHT + 60 * MINUTE) == Step(closed)
    again = life.reopen(closed, NIGHT + 70 * MINUTE, IDS["ola"]).ticket
    assert due(again) == NIGHT + 85 * MINUTE
    first = rings(again, NIGHT + 85 * MINUTE)
    assert told(first, staff()) == ["ola"]
    assert [tell.step for tell in first.tells] == ["untaken/2/1/15"]


@pytest.mark.requirement("R72")
def test_after_an_outage_whom_missed_steps_name_is_told_once() -> None:
    step = rings(opened(), NIGHT + 10 * 60 * MINUTE)
    assert sorted(told(step, staff())) == ["mia", "ola"]
    assert [tell.step for tell in step.tells] == ["untaken/1/2/45", "untaken/1/2/60"]
    assert due(step.ticket) is None


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        pytest.param((), ["ola"], id="somebody comes next"),
        pytest.param(("ola", "li"), ["mia"], id="nobody else: the manager"),
        pytest.param(("ola", "li", "mia"), ["ada"], id="no manager of the team: those of the house"),
    ],
)
def test_a_step_that_reaches_nobody_falls_back(gone: tuple[str, ...], expected: list[str]) -> None:
    step = rings(opened(), NIGHT + 15 * MINUTE, staff(*gone))
    assert told(step, staff(*gone)) == expected
    (entry,) = step.entries
    assert entry.kind is Kind.UNTAKEN
    assert entry.data["as"] == ("manager/next_on_call" if gone else "next_on_call")


def test_a_fall_back_may_name_leadership_and_people() -> None:
    policy = EscalationPolicy(
        (EscalationStep(MINUTE, ("zoe@x.test",)),), fall_back=("yan@x.test", "leadership")
    )
    assert told(rings(opened(policy), NIGHT + MINUTE), staff()) == ["leo"]
    assert told(rings(opened(policy), NIGHT + MINUTE, staff("leo")), staff("leo")) == ["ada"]


def test_a_room_wakes_nobody_so_people_are_told_beside_it() -> None:
    policy = EscalationPolicy((EscalationStep(MINUTE, ("slack", "next_on_call")),))
    assert told(rings(opened(policy), NIGHT + MINUTE), staff()) == ["slack", "ola"]
    alone = staff("ola", "li")
    assert told(rings(opened(policy), NIGHT + MINUTE, alone), alone) == ["slack", "mia"]
    rooms = EscalationPolicy((EscalationStep(MINUTE, ("room",)),))
    assert told(rings(opened(rooms), NIGHT + MINUTE), staff()) == ["slack", "pagerduty:care"]


@pytest.mark.parametrize(
    ("tell", "gone", "said"),
    [
        pytest.param(
            ("next_on_call", "slack"), (),
            ": Ola (next on call), the team's room on Slack told",
            id="as planned",
        ),
        pytest.param(
            ("next_on_call", "zoe@x.test"), ("ola", "li"),
            ": Mia (manager, as nobody else comes next on call and whom the policy names is not here) told",
            id="somebody instead",
        ),
        pytest.param(
            ("next_on_call",), ("ola", "li", "mia", "ada"),
            ": Leo (leadership, as nobody else comes next on call) told",
            id="no manager at all",
        ),
        pytest.param(("manager",), ("mia", "ada", "leo"), ", and there is nobody to tell", id="nobody"),
        pytest.param(
            ("on_call", "owner", "leadership", "li@x.test"), (),
            ": Rita (on call), Leo (leadership), Li (named in the policy) told",
            id="everybody",
        ),
    ],
)  # fmt: skip
def test_the_timeline_says_who_was_told_and_as_whom(
    tell: tuple[str, ...], gone: tuple[str, ...], said: str
) -> None:
    policy = EscalationPolicy((EscalationStep(15 * MINUTE, tell),))
    (entry,) = rings(opened(policy), NIGHT + 15 * MINUTE, staff(*gone)).entries
    assert line(entry) == f"Nobody took the case for 15 min (step 1){said}"
    assert "@" not in str(entry.data), "no address is kept"


def test_a_later_round_is_named_on_the_timeline() -> None:
    ticket = rings(opened(), NIGHT + 30 * MINUTE).ticket
    (entry,) = rings(ticket, NIGHT + 45 * MINUTE).entries
    assert line(entry) == "Nobody took the case for 45 min (step 1, round 2): Ola (next on call) told"


def line(entry: Entry) -> str:
    """The sentence on the timeline."""
    row = TimelineRow(1, entry.at, None, entry.kind.value, entry.data, "", None)
    return sentence(row, "", Reader({user_id: name.title() for name, user_id in IDS.items()}, {}, ())).text


def test_the_notice_asks_to_take_the_case() -> None:
    said = compose(
        Alarm(
            Occasion.UNTAKEN, "Ana Diaz", "", "Acme", "key", 0, QuestionType.NPS, "", "+46701234567", "",
            "urgent", "Rita", "is on call", NIGHT + timedelta(hours=24), NIGHT + 15 * MINUTE,
            "https://x.test/tickets/1", since=NIGHT,
        )
    )  # fmt: skip
    assert said.subject.startswith("Not taken: Ana Diaz (Acme) gave 0 of 10")
    assert said.headline.startswith("Nobody has taken this case for 15 min. Take it")
    assert said.action.startswith("Take the case")
    assert Occasion.UNTAKEN in ASKING, "a link to take it with one press"


@pytest.mark.requirement("R72")
def test_a_case_says_who_is_told_next_if_nobody_takes_it() -> None:
    reader = Reader({user_id: name.title() for name, user_id in IDS.items()}, {}, ())
    ticket = opened()

    def said(minute: int, priority: Priority = Priority.URGENT, *gone: str) -> str:
        now = NIGHT + minute * MINUTE
        return coming_words(coming(ticket, priority, staff(*gone), now, ROOMS), reader, now)

    assert said(3) == "If nobody takes it within 12 min, Ola (next on call) is told."
    assert said(3, Priority.HIGH) == ""
    assert said(16, Priority.URGENT, "ola", "li") == (
        "If nobody takes it now, Mia (manager, as nobody else comes next on call) is told."
    ), "until the worker has looked at it"
    ticket = opened(EscalationPolicy((EscalationStep(15 * MINUTE, ("owner", "next_on_call", "slack")),)))
    assert said(3) == (
        "If nobody takes it within 12 min, Rita (the owner of the case), Ola (next on call) and the"
        " team's room on Slack are told."
    )
    ticket = rings(opened(), NIGHT + 60 * MINUTE).ticket
    assert said(61) == "", "all were told"
    ticket = replace(opened(), state=TicketState.ACKNOWLEDGED)
    assert said(3) == ""


def test_who_is_meant_twice_is_told_once() -> None:
    policy = EscalationPolicy((EscalationStep(MINUTE, ("on_call", "owner", "rita@x.test")),))
    assert told(rings(opened(policy), NIGHT + MINUTE), staff()) == ["rita"]


def test_the_owner_is_not_the_next_on_call() -> None:
    assert told(rings(opened(owner="ola"), NIGHT + 15 * MINUTE), staff()) == ["li"]


@pytest.mark.requirement("R72")
def test_a_case_that_is_not_grave_enough_rests_until_another_voice_is_heard() -> None:
    calm = rings(opened(), NIGHT + 15 * MINUTE, priority=Priority.HIGH)
    assert calm.tells == ()
    assert calm.entries == ()
    assert due(calm.ticket) is None
    assert calm.ticket.version > opened().version, "it is written down"
    joined = life.join(calm.ticket, answer("r2", contact="ben", at=NIGHT + 40 * MINUTE)).ticket
    assert due(joined) == NIGHT + 55 * MINUTE
    assert told(rings(joined, NIGHT + 55 * MINUTE), staff()) == ["ola"]


@pytest.mark.requirement("R72")
def test_steps_count_from_when_somebody_could_take_the_case_the_promise_from_the_answer() -> None:
    late = opened(heard_at=NIGHT + 120 * MINUTE)
    assert due(late) == NIGHT + 135 * MINUTE
    assert late.run.contact_due_at == NIGHT + timedelta(hours=24)
    early = opened(heard_at=NIGHT - 5 * MINUTE)
    assert due(early) == NIGHT + 15 * MINUTE


def test_another_voice_puts_no_step_off() -> None:
    joined = life.join(opened(), answer("r2", contact="ben", at=NIGHT + 14 * MINUTE)).ticket
    assert due(joined) == NIGHT + 15 * MINUTE


def test_time_counts_as_the_promise_does_unless_all_hours_are_wanted() -> None:
    work = Calendar("UTC", opens=9 * 60, closes=17 * 60)
    assert due(opened(calendar=work)) == NIGHT.replace(hour=9, minute=15)
    assert due(opened(replace(DEFAULT, all_hours=True), calendar=work)) == NIGHT + 15 * MINUTE


@pytest.mark.requirement("R72")
def test_a_case_that_goes_to_another_team_has_the_steps_of_that_team_from_then_on() -> None:
    ticket = rings(opened(), NIGHT + 15 * MINUTE).ticket
    theirs = EscalationPolicy((EscalationStep(15 * MINUTE, ("li@x.test", "ola@x.test")),))
    comment = answer(
        "r1", version=2, team="product", policy=theirs, at=NIGHT + 20 * MINUTE, themes=("export",)
    )
    moved = life.hear_again(ticket, comment, lambda: Owner(IDS["li"], "is on call")).ticket
    assert moved.team == "product"
    assert due(moved) == NIGHT + 35 * MINUTE
    step = rings(moved, NIGHT + 35 * MINUTE)
    assert told(step, staff()) == ["li", "ola"]
    assert [tell.step for tell in step.tells] == ["untaken/1/1/15/product"], "no step of the former team"
    assert due(step.ticket) is None


def test_spans_are_whole_when_the_clocks_change() -> None:
    before = datetime(2026, 3, 29, 0, 50, tzinfo=UTC)  # ten minutes before summer time begins in Sweden
    assert due(opened(at=before)) == before + 15 * MINUTE


def test_a_clock_that_jumps_back_tells_nothing_again() -> None:
    ticket = rings(opened(), NIGHT + 30 * MINUTE).ticket
    assert rings(ticket, NIGHT + 16 * MINUTE).tells == ()
    assert due(ticket) == NIGHT + 45 * MINUTE


def test_without_steps_nothing_is_told() -> None:
    ticket = opened(None)
    assert ticket.run.escalation is None
    assert rings(ticket, NIGHT + 600 * MINUTE) == Step(ticket)


def test_rungs_are_told_by_their_distance_from_the_beginning() -> None:
    assert [(r.round, r.place, r.after // MINUTE) for r in escalation.rungs(DEFAULT)] == [
        (1, 1, 15), (1, 2, 30), (2, 1, 45), (2, 2, 60),
    ]  # fmt: skip
