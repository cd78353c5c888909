"""Whatever the policy, the gaps, the outages, who takes a case and takes that back: these things hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.alerts.domain import escalation, undoing
from services.alerts.domain import ticket as life
from services.alerts.domain.causes import DEFAULT_CAUSES
from services.alerts.domain.escalation import EscalationPolicy, EscalationStep
from services.alerts.domain.model import Step
from services.alerts.domain.routing import recipients
from tests.support.alerts import T0
from tests.support.untaken import IDS, MINUTE, ROOMS, due, opened, rings, staff

STEPS = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.lists(
            st.sampled_from([*escalation.Whom, "li@x.test"]),
            min_size=1,
            max_size=3,
            unique=True,
        ),
    ),
    min_size=1,
    max_size=4,
)


class Ladders(RuleBasedStateMachine):
    """One case with any policy; people come and go, take it and take that back; the worker lags."""

    @initialize(steps=STEPS, repeat=st.integers(0, 3))
    def opens(self, steps: list[tuple[int, list[str]]], repeat: int) -> None:
        after = 0
        made: list[EscalationStep] = []
        for wait, tell in steps:
            after += wait
            made.append(EscalationStep(after * MINUTE, tuple(tell)))
        self.policy = EscalationPolicy(tuple(made), repeat)
        self.now = T0
        self.began = T0
        self.staff = staff()
        self.ticket = opened(self.policy, at=T0)
        self.heard: set[tuple[str, str, str]] = set()
        self.done = 0

    @property
    def plan(self) -> list[tuple[datetime, tuple[str, ...]]]:
        """Each step of each round with its moment, as the words of the policy say."""
        length = self.policy.steps[-1].after
        return [
            (self.began + lap * length + step.after, step.tell)
            for lap in range(self.policy.repeat + 1)
            for step in self.policy.steps
        ]

    @rule(minutes=st.sampled_from([1, 3, 10, 14, 15, 30, 90, 600]))
    def waits(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(gone=st.sets(st.sampled_from(["rita", "ola", "li", "mia", "leo"])))
    def leaves_gaps(self, gone: set[str]) -> None:
        self.staff = staff(*gone)

    @rule(by=st.sampled_from(["ola", "li"]))
    def takes(self, by: str) -> None:
        step = life.acknowledge(self.ticket, IDS[by], self.now)
        if isinstance(step, Step):
            self.ticket = undoing.remember(self.ticket, step, "acknowledge", IDS[by], self.now).ticket

    @rule(by=st.sampled_from(["ola", "li"]))
    def takes_back(self, by: str) -> None:
        step = undoing.undo(self.ticket, IDS[by], self.now)
        if isinstance(step, Step):
            self.ticket = step.ticket

    @rule()
    @precondition(lambda self: self.ticket.is_open)
    def ends(self) -> None:
        ended = life.resolve(self.ticket, IDS["li"], self.now, GIVEN_UP, "tried", attempts=9)
        assert isinstance(ended, Step)
        self.ticket = undoing.remember(self.ticket, ended, "resolve", IDS["li"], self.now).ticket

    @rule()
    @precondition(lambda self: not self.ticket.is_open)
    def opens_again(self) -> None:
        self.ticket = life.reopen(self.ticket, self.now, IDS["li"]).ticket
        self.began, self.done = self.now, 0

    @rule()
    def works(self) -> None:
        """The worker looks at the clocks."""
        step = rings(self.ticket, self.now, self.staff)
        doors = [
            (tell.step, one.channel, one.to)
            for tell in step.tells
            for one in recipients(tell, step.ticket, self.staff, ROOMS)
        ]
        assert self.ticket.is_untaken or not step.tells, "told after an acknowledge or the end"
        assert not self.heard & set(doors), "told twice for the same step"
        assert len(set(doors)) == len(doors), "told twice for the same step"
        people = [door[1:] for door in doors]
        assert len(set(people)) == len(people), "told twice of what an outage missed"
        self.heard |= set(doors)
        reached = {to if channel == "email" else channel for channel, to in people}
        ahead = self.plan[self.done :] if self.ticket.is_untaken else []
        fresh = [tell for at, tell in ahead if at <= self.now]
        assert all(self.meant(tell) <= reached for tell in fresh), "untold"
        assert bool(step.tells) == bool(fresh), "early, or late"
        self.done += len(fresh)
        self.ticket = step.ticket

    def meant(self, tell: tuple[str, ...]) -> set[str]:
        """Whom a step must reach, said anew: ids, or channels of rooms."""
        here = {member.user_id for member in self.staff.members}
        turns = [name for name in self.turns() if IDS[name] in here]
        mia = ["mia"] if IDS["mia"] in here else ["ada"]
        leo = ["leo"] if IDS["leo"] in here else ["ada"]
        owner = next((n for n, i in IDS.items() if i == self.ticket.owner.user_id and i in here), None)
        others = [name for name in turns[1:] if name != owner]
        known = {
            "on_call": turns[:1],
            "next_on_call": others[:1],
            "owner": [owner] if owner else [],
            "manager": mia,
            "leadership": leo,
            "li@x.test": ["li"] if IDS["li"] in here else [],
            "room": [],
        }
        found = {str(IDS[name]) for whom in tell for name in known[whom]}
        if not found and set(tell) != {"room"}:
            found = {str(IDS[name]) for name in mia}
        return found | (set(ROOMS) if "room" in tell else set())

    def turns(self) -> list[str]:
        """The order from today on; of who is away the turn falls to the next, so each comes once."""
        people, day = ["rita", "ola", "li"], (self.now.date() - datetime(2026, 1, 5, tzinfo=UTC).date()).days
        return [people[(day + ahead) % 3] for ahead in range(3)]

    @invariant()
    def the_timer_is_there_while_a_step_is_to_come(self) -> None:
        to_come = self.plan[self.done :]
        assert due(self.ticket) == (to_come[0][0] if to_come and self.ticket.is_untaken else None)


GIVEN_UP = next(cause for cause in DEFAULT_CAUSES if cause.needs.value == "attempts")
Ladders.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_ladders = pytest.mark.requirement("R72")(Ladders.TestCase)
