"""A year of three teams in three zones: 2,000 unhappy customers, swaps, leavers, changes of the clock.

The pure core alone, on a stepped clock: who gets each case, what rings, who is told. Nothing is random: all
chances follow from the seed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest

from demo.chance import Chance
from services.alerts.domain import clocks, escalation, layers, routing, swaps
from services.alerts.domain import ticket as life
from services.alerts.domain.calendars import add
from services.alerts.domain.causes import DEFAULT_CAUSES
from services.alerts.domain.clocks import Level
from services.alerts.domain.escalating import Lookout, climb
from services.alerts.domain.escalation import DEFAULT
from services.alerts.domain.layers import Override
from services.alerts.domain.model import Refused, Step, Ticket
from services.alerts.domain.outlook import outlook
from services.alerts.domain.priority import Priority
from services.alerts.domain.rota import Rota
from services.alerts.domain.routing import Member, Rank, Staff
from services.alerts.domain.swaps import Stretch, Swap
from services.alerts.domain.teams import Roster, read_roster
from services.alerts.handlers.responses import placed
from shared.runtime.ids import derive
from tests.support.alerts import answer, snapshot

NEW_YEAR, SYLVESTER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
DETRACTORS = 2_000
LAG = timedelta(minutes=10)
"""How late the worker may look at a clock, but for the outage."""
OUTAGE = (datetime(2026, 6, 5, 12, tzinfo=UTC), datetime(2026, 6, 8, 6, tzinfo=UTC))
REGIONS = {"emea": "Europe/Stockholm", "americas": "America/New_York", "apac": "Australia/Sydney"}
FILE = """
teams:
  emea:
    name: EMEA
    zone: Europe/Stockholm
    manager: boss-emea@x.test
    rota:
      - {name: weeks, people: [emea-1@x.test, emea-2@x.test, emea-3@x.test, emea-4@x.test], first: 2026-01-05}
      - {name: weekends, people: [emea-5@x.test, emea-6@x.test], first: 2026-01-03, hours: {days: [sat, sun]}}
  americas:
    name: Americas
    zone: America/New_York
    manager: boss-americas@x.test
    fall_back: emea
    rota:
      - {people: [americas-1@x.test, americas-2@x.test, americas-3@x.test], first: 2026-01-05, every: day}
  apac:
    name: APAC
    zone: Australia/Sydney
    manager: boss-apac@x.test
    working_hours: {holidays: AU}
    rota:
      - people: [apac-1@x.test, apac-2@x.test, apac-3@x.test]
        first: 2026-01-04
        every: two_weeks
        at: "02:30"
routes:
  - {when: {region: [emea]}, team: emea}
  - {when: {region: [americas]}, team: americas}
  - {when: {region: [apac]}, team: apac}
"""
SIZES = {"emea": 6, "americas": 3, "apac": 3}


def everybody() -> tuple[Member, ...]:
    reps = [f"{team}-{n}" for team, size in SIZES.items() for n in range(1, size + 1)]
    bosses = [f"boss-{team}" for team in SIZES]
    ranks = [
        *((rep, Rank.REP) for rep in reps),
        *((boss, Rank.MANAGER) for boss in bosses),
        ("ada", Rank.ADMIN),
    ]
    return tuple(Member(derive("user", name), f"{name}@x.test", name, rank) for name, rank in ranks)


def roster() -> Roster:
    found = read_roster(FILE).value
    assert found is not None
    return found


@dataclass
class Year:
    """What happens, and what was seen of it."""

    chance: Chance
    staff: Staff
    tickets: dict[UUID, Ticket] = field(default_factory=dict)
    told: Counter[tuple[UUID, str, str]] = field(default_factory=Counter)
    levels: dict[UUID, list[tuple[Level, datetime, datetime]]] = field(default_factory=dict)
    woken: dict[UUID, set[str]] = field(default_factory=dict)
    after_end: list[tuple[UUID, str]] = field(default_factory=list)
    swapped: list[Swap] = field(default_factory=list)
    adopted: int = 0
    queue: list[tuple[datetime, int, str, UUID]] = field(default_factory=list)
    places: count[int] = field(default_factory=count)

    def plan(self, at: datetime, what: str, about: UUID) -> None:
        """Something is to happen; the clocks are not looked at while the service is down."""
        if what == "ring" and OUTAGE[0] <= at < OUTAGE[1]:
            at = OUTAGE[1]
        heapq.heappush(self.queue, (at, next(self.places), what, about))

    def runs(self) -> None:
        """Step from one moment to the next."""
        while self.queue:
            at, _, what, about = heapq.heappop(self.queue)
            match what:
                case "open":
                    self._open(about, at)
                case "leave":
                    self._leave(about, at)
                case "swap":
                    self._swap(at)
                case _:
                    self._go_on(what, about, at)

    def _open(self, ticket_id: UUID, at: datetime) -> None:
        region = self.chance.pick(list(REGIONS), ticket_id, "region")
        made = answer(
            str(ticket_id), at=at, account=str(ticket_id), snapshot=snapshot(str(ticket_id), region=region)
        )
        team, route = routing.place(made.snapshot, self.staff)
        own = "americas-2@x.test" if self.chance.happens(0.2, ticket_id, "owned") else ""
        owner = routing.owner(own, self.staff, at, team, owner_first=route.owner_first)
        assert owner.user_id in self.staff.workers
        duty = layers.who(team.stack, at, self.staff.workers)
        assert owner.reason == "owns the account" or (duty is not None and duty.user_id == owner.user_id)
        self._take(life.open_(placed(made, self.staff), ticket_id, owner), at)
        reached = self.chance.between(timedelta(hours=1), timedelta(hours=90), ticket_id, "reached")
        if not self.chance.happens(0.15, ticket_id, "never reached"):
            self.plan(at + reached, "contact", ticket_id)
            solved = self.chance.between(timedelta(days=1), timedelta(days=20), ticket_id, "solved")
            if not self.chance.happens(0.1, ticket_id, "never solved"):
                self.plan(at + reached + solved, "resolve", ticket_id)
        if self.chance.happens(0.5, ticket_id, "taken"):
            self.plan(at + reached / 2, "acknowledge", ticket_id)

    def _go_on(self, what: str, ticket_id: UUID, at: datetime) -> None:
        ticket = self.tickets[ticket_id]
        by = ticket.owner.user_id or derive("user", "ada")
        step: Step | Refused
        match what:
            case "ring":
                step = life.ring(ticket, at)
            case "contact":
                step = life.contact(ticket, by, at, {}, "")
            case "acknowledge":
                step = life.acknowledge(ticket, by, at)
            case _:
                step = life.resolve(ticket, by, at, DEFAULT_CAUSES[0], "done", attempts=0)
        if not isinstance(step, Refused) and step.ticket is not ticket:
            self._take(step, at)
        if what == "ring":
            self._climb(self.tickets[ticket_id], at)

    def _climb(self, ticket: Ticket, at: datetime) -> None:
        """Tell the steps that are due while nobody takes a case."""
        here = ticket.run.escalation
        if ticket.is_untaken and here and escalation.overdue(here, ticket.run.calendar, at):
            priority = Priority.URGENT if self.urgent(ticket.id) else Priority.HIGH
            step = climb(ticket, priority, Lookout(self.staff, at), ("room",))
            assert step.tells or priority is Priority.HIGH
            self.woken.setdefault(ticket.id, set()).update(tell.step for tell in step.tells)
            self._take(step, at)

    def urgent(self, ticket_id: UUID) -> bool:
        """One case in ten."""
        return self.chance.happens(0.1, ticket_id, "urgent")

    def _take(self, step: Step, at: datetime) -> None:
        ticket, before = step.ticket, self.tickets.get(step.ticket.id)
        self.tickets[ticket.id] = ticket
        for tell in step.tells:
            if before is not None and not before.is_open:
                self.after_end.append((ticket.id, tell.step))
            for recipient in routing.recipients(tell, ticket, self.staff, ("room",)):
                self.told[(ticket.id, tell.step, recipient.to)] += 1
        if before is not None and ticket.run.told > before.run.told:
            due = ticket.run.due_at(ticket.run.told)
            self.levels.setdefault(ticket.id, []).append((ticket.run.told, due, at))
        if ticket.is_open:
            for timer in clocks.timers(ticket.run, untaken=ticket.is_untaken):
                lag = self.chance.between(timedelta(), LAG, ticket.id, timer.due_at)
                self.plan(max(timer.due_at, at) + lag, "ring", ticket.id)

    def _leave(self, user_id: UUID, at: datetime) -> None:
        """Somebody is disabled: their open cases go to the rota."""
        self.staff = replace(self.staff, members=tuple(m for m in self.staff.members if m.user_id != user_id))
        for ticket in list(self.tickets.values()):
            if ticket.is_open and ticket.owner.user_id == user_id:
                heir = routing.heir(ticket, "", self.staff, at)
                assert heir.user_id in self.staff.workers
                self._take(life.adopt(ticket, heir, at), at)
                self.adopted += 1

    def _swap(self, at: datetime) -> None:
        """In each team the next two people swap their shifts."""
        for team in self.staff.teams[:-1]:
            to_come = [s for s in outlook(team, self.staff, at).shifts if s.starts_at > at]
            mine = to_come[0]
            theirs = next((s for s in to_come if s.user_id != mine.user_id), None)
            if theirs is None:
                continue
            given, taken = (Stretch(s.starts_at, s.ends_at) for s in (mine, theirs))
            offer = Swap(
                derive("swap", team.key, at), team.key, mine.user_id, theirs.user_id, given, taken, at
            )
            ids = (derive(offer.id, 1), derive(offer.id, 2))
            done = swaps.agree(offer, team.stack, theirs.user_id, at, self.staff.workers, ids)
            assert not isinstance(done, Refused), done
            self._stand_in(done[1])
            self.swapped.append(done[0])

    def _stand_in(self, overrides: tuple[Override, Override]) -> None:
        rota = self.staff.rota
        self.staff = replace(self.staff, rota=replace(rota, overrides=(*rota.overrides, *overrides)))


@pytest.mark.requirement("R72", "R80")
@pytest.mark.parametrize("seed", ["a", "b"])
def test_a_year_leaves_no_case_late_unescalated_and_tells_no_step_twice(seed: str) -> None:
    year = Year(Chance(seed), Staff(everybody(), Rota(), roster=roster()))
    for number in range(DETRACTORS):
        at = NEW_YEAR + year.chance.between(timedelta(), SYLVESTER - NEW_YEAR, number, "when")
        year.plan(at, "open", derive("ticket", seed, number))
    for month in range(1, 13):
        year.plan(datetime(2026, month, 9, 15, tzinfo=UTC), "swap", UUID(int=month))
    year.plan(datetime(2026, 9, 1, 9, tzinfo=UTC), "leave", derive("user", "emea-2"))
    year.plan(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), "leave", derive("user", "americas-3"))
    year.runs()
    assert len(year.tickets) == DETRACTORS
    assert len(year.swapped) >= 30
    assert year.adopted > 0
    assert {key for key, times in year.told.items() if times > 1} == set()
    assert year.after_end == []
    for ticket in year.tickets.values():
        _cared_for(year, ticket)
    missed = [t for t in year.tickets.values() if t.run.told is Level.LEADERSHIP]
    assert len(missed) > DETRACTORS // 10  # the year would prove little if everybody were reached in time


def _cared_for(year: Year, ticket: Ticket) -> None:
    """It is closed or escalated to the last step; each step was told in time, or right after the outage."""
    run = ticket.run
    assert not ticket.is_open or run.told is Level.LEADERSHIP or run.resolve_told
    assert ticket.is_open or ticket.ended_at is not None
    reached = run.contacted_at or (SYLVESTER + timedelta(days=400))
    levels = year.levels.get(ticket.id, [])
    for level in (Level.REMINDER, Level.LATE, Level.LEADERSHIP):
        due = run.due_at(level)
        if due + LAG < reached and not OUTAGE[0] - LAG <= due < OUTAGE[1]:
            assert any(told >= level and at <= due + LAG for told, _, at in levels), (ticket.id, level)
    _woken_for(year, ticket)
    for _, due, at in levels:
        assert due <= at
        assert at <= due + LAG or (OUTAGE[0] - LAG <= due < OUTAGE[1] and at <= OUTAGE[1] + LAG)


def _woken_for(year: Year, ticket: Ticket) -> None:
    """While nobody took it, each step was told, if it was urgent; none otherwise."""
    told = year.woken.get(ticket.id, set())
    if not year.urgent(ticket.id):
        assert told == set()
        return
    taken = ticket.acknowledged_at or ticket.run.contacted_at or ticket.ended_at or SYLVESTER
    for rung in escalation.rungs(DEFAULT):
        due = add(ticket.run.calendar, ticket.opened_at, rung.after)
        step = f"untaken/1/{rung.round}/{rung.after // timedelta(minutes=1)}"
        if due > taken:
            assert step not in told
        elif due + LAG < taken and not OUTAGE[0] - timedelta(hours=1) <= due < OUTAGE[1]:
            assert step in told


@pytest.mark.parametrize("team", list(REGIONS))
def test_the_year_holds_both_hours_of_each_zone(team: str) -> None:
    assert len(_offsets(team)) == 2


def _offsets(team: str) -> set[timedelta]:
    """By how much the hand-overs of a team differ from UTC during the year."""
    layer = Staff(everybody(), Rota(), roster=roster()).team(team).stack.layers[0]
    first = layers.turn_of(layer, NEW_YEAR)
    starts = [layers.hand_over(layer, turn) for turn in range(first, layers.turn_of(layer, SYLVESTER))]
    return {timedelta(minutes=layer.minute) - timedelta(hours=at.hour, minutes=at.minute) for at in starts}
