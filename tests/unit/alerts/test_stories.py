"""Whatever customers, reps and clocks do in whatever order, these things hold."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.alerts.domain import clocks, progress, undoing
from services.alerts.domain import ticket as life
from services.alerts.domain.care import KINDS, Line, Round, rounds
from services.alerts.domain.case import Case, hear
from services.alerts.domain.causes import DEFAULT_CAUSES, Cause
from services.alerts.domain.clocks import Level
from services.alerts.domain.model import Answer, Entry, Kind, Refused, Standing, Step, Ticket, VoiceState
from shared.contracts.tickets import TicketState
from shared.runtime.ids import derive
from tests.support.alerts import REP, T0, answer

RESPONSES = st.sampled_from(["r1", "r2", "r3", "r4"])
SCORES = st.integers(0, 10)
ACTIONS = st.sampled_from(
    [
        "acknowledge", "contact", "attempt", "note", "assign", "resolve", "accept", "reopen",
        "plan", "confirm", "deny", "undo",
    ]
)  # fmt: skip
USERS = st.sampled_from([derive("user", name) for name in ("ana", "ben")])


class Stories(RuleBasedStateMachine):
    """One account with up to four people, two reps and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = T0
        self.case = Case(answer().case_key)
        self.answers: dict[str, Answer] = {}
        self.rung: set[tuple[object, ...]] = set()
        self.versions: dict[object, int] = {}
        self.timelines: dict[object, list[Line]] = {}

    @rule(response=RESPONSES, score=SCORES, standing=st.sampled_from(Standing), spoken=st.booleans())
    def hears(self, response: str, score: int, standing: Standing, spoken: bool) -> None:
        before = self.answers.get(response)
        version = before.version + 1 if before else 1
        said = answer(
            response, score, at=self.now, version=version, contact=response, standing=standing, spoken=spoken
        )
        self.answers[response] = said
        self.keep(*hear(self.case, said, derive("ticket", said.response_id, version), lambda: REP))

    @rule(hours=st.sampled_from([1, 5, 12, 13, 24, 49, 400]))
    def passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def rings(self) -> None:
        for ticket in self.case.tickets:
            step = life.ring(ticket, self.now)
            assert ticket.is_open or not step.entries
            for entry in (e for e in step.entries if e.kind is Kind.ESCALATED):
                told = (ticket.id, ticket.run.generation, entry.data["clock"], entry.data["level"])
                assert told not in self.rung, "told twice"
                self.rung.add(told)
            self.keep(step)

    @rule(action=ACTIONS, by=USERS, cause=st.sampled_from(DEFAULT_CAUSES), pick=st.integers(0, 3))
    def acts(self, action: str, by: UUID, cause: Cause, pick: int) -> None:
        if not self.case.tickets:
            return
        ticket = self.case.tickets[pick % len(self.case.tickets)]
        step = self.decide(action, ticket, by, cause)
        if isinstance(step, Step):
            self.keep(undoing.remember(ticket, step, action, by, self.now))

    def other_open(self, ticket: Ticket) -> bool:
        return not ticket.is_open and self.case.current is not None

    def decide(self, action: str, ticket: Ticket, by: UUID, cause: Cause) -> Step | Refused | None:
        do: dict[str, Callable[[], Step | Refused | None]] = {
            "acknowledge": lambda: life.acknowledge(ticket, by, self.now),
            "contact": lambda: life.contact(ticket, by, self.now, {"via": "phone"}, ""),
            "attempt": lambda: life.attempt(ticket, by, self.now, {"via": "phone"}, ""),
            "note": lambda: life.write(ticket, by, self.now, "hm"),
            "assign": lambda: life.assign(ticket, by, self.now, derive("user", "cleo")),
            "resolve": lambda: life.resolve(ticket, by, self.now, cause, "learned", attempts=3),
            "accept": lambda: life.accept_proposal(ticket, by, self.now),
            "reopen": lambda: None if self.case.current else life.reopen(ticket, self.now, by),
            "plan": lambda: progress.plan(ticket, by, self.now, "a fix", self.now + timedelta(hours=5)),
            "confirm": lambda: progress.confirm(ticket, by, self.now),
            "deny": lambda: None if self.case.current else progress.deny(ticket, by, self.now),
            "undo": lambda: None if self.other_open(ticket) else undoing.undo(ticket, by, self.now),
        }
        return do[action]()

    def keep(self, *steps: Step) -> None:
        for step in steps:
            for event in step.events:
                assert event.version > self.versions.get(event.ticket_id, 0), "versions rise"
                self.versions[event.ticket_id] = event.version
            told = self.timelines.setdefault(step.ticket.id, [])
            told += [line_of(entry) for entry in step.entries if entry.kind in KINDS]
            ended_by_itself = any(e.kind is Kind.CLOSED and e.by is None for e in step.entries)
            assert not (ended_by_itself and step.ticket.touched), "a touched ticket never closes by itself"
        self.case = self.case.after(steps)

    @invariant()
    def one_open_ticket(self) -> None:
        assert sum(ticket.is_open for ticket in self.case.tickets) <= 1

    @invariant()
    def each_unhappy_answer_in_exactly_one_ticket(self) -> None:
        for said in self.answers.values():
            voices = [v for t in self.case.tickets if (v := t.voice(said.response_id))]
            assert len(voices) <= 1
            if said.unhappy:
                assert [v.state for v in voices] == [VoiceState.UNHAPPY]
            else:
                assert all(v.state is not VoiceState.UNHAPPY for v in voices)

    @invariant()
    def no_untouched_ticket_stays_open_without_a_reason(self) -> None:
        for ticket in self.case.tickets:
            assert not ticket.is_open or ticket.touched or ticket.is_unhappy

    @invariant()
    def a_proposal_means_that_nobody_is_unhappy(self) -> None:
        assert all(t.is_open and not t.is_unhappy for t in self.case.tickets if t.proposal)

    @invariant()
    def an_open_ticket_has_a_timer_or_was_told_everything(self) -> None:
        for ticket in self.case.tickets:
            if ticket.is_open and not clocks.timers(ticket.run):
                assert ticket.run.resolve_told

    @invariant()
    def a_case_that_was_never_opened_again_stands_as_its_timeline_says(self) -> None:
        """Reports read its row (`store/care.py`) and not its timeline."""
        for ticket in self.case.tickets:
            if ticket.run.generation == 1:
                assert rounds(self.timelines[ticket.id]) == [round_of(ticket)]


def line_of(entry: Entry) -> Line:
    data = entry.data
    return Line(
        entry.kind, entry.at, data.get("clock", ""), int(data.get("level", 0)), data.get("action", "")
    )


def round_of(ticket: Ticket) -> Round:
    resolved_at = ticket.ended_at if ticket.state is TicketState.RESOLVED else None
    run = ticket.run
    return Round(
        ticket.opened_at, ticket.acknowledged_at, run.contacted_at, resolved_at, ticket.ended_at,
        late=run.told >= Level.LATE, unresolved=run.resolve_told,
    )  # fmt: skip


Stories.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_stories = Stories.TestCase
