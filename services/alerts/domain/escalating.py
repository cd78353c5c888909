"""Telling the steps of an escalation policy: who it is at that moment, and who instead of nobody (R72)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.domain import escalation, layers
from services.alerts.domain.escalation import EscalationPolicy, Rung, Whom, code_of, is_room
from services.alerts.domain.model import Entry, Kind, Occasion, Step, Tell, Ticket
from services.alerts.domain.paging import Door
from services.alerts.domain.priority import Priority
from services.alerts.domain.rooms import kind_of
from services.alerts.domain.routing import TEAM, Staff, Team

AHEAD = timedelta(weeks=5)
"""How far ahead the next one on call is looked for; longer than any turn of a rota."""


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody whom a step tells: by which door, as whom, and in whose place where that was nobody."""

    door: Door
    whom: str
    instead: str = ""

    @property
    def to(self) -> str:
        """The person's id, or the channel of the room, as it stands on timelines."""
        return self.door[0] if self.door[1] == TEAM else self.door[1]

    @property
    def role(self) -> str:
        """As whom and, after a slash, in whose place, as it stands on timelines."""
        return f"{self.whom}/{self.instead}" if self.instead else self.whom


@dataclass(frozen=True, slots=True)
class Coming:
    """The step that comes next if nobody takes the case, and whom it tells."""

    at: datetime
    told: tuple[Told, ...]


class Lookout:
    """Who is on call at one moment and who comes next; looked up once for each team.

    Args:
        staff: Everybody, with the rotas.
        now: The moment.
    """

    def __init__(self, staff: Staff, now: datetime) -> None:
        self.staff = staff
        self.now = now
        self._teams: dict[str, Team] = {}
        self._turns: dict[str, tuple[UUID, ...]] = {}

    def team(self, key: str) -> Team:
        """A team as it is now."""
        if key not in self._teams:
            self._teams[key] = self.staff.team(key)
        return self._teams[key]

    def on_call(self, key: str) -> UUID | None:
        """Who is on call for a team, else for those it falls back on, else in the rota that all share."""
        found = (layers.who(self.team(k).stack, self.now, self.staff.workers) for k in self._chain(key))
        return next((duty.user_id for duty in found if duty is not None), None)

    def next_on_call(self, key: str, owner: UUID | None) -> UUID | None:
        """Who comes next, and is neither on call now nor the owner of the case; of the same rotas in turn."""
        known = {self.on_call(key), owner}
        turns = (user_id for k in self._chain(key) for user_id in self._of(k))
        return next((user_id for user_id in turns if user_id not in known), None)

    def _chain(self, key: str) -> Iterator[str]:
        team = self.team(key)
        return iter(dict.fromkeys((team.key, *team.fall_backs, "")))

    def _of(self, key: str) -> tuple[UUID, ...]:
        """The people of a rota in the order in which they are on call from now on."""
        if key not in self._turns:
            spans = layers.spans(self.team(key).stack, self.now, self.now + AHEAD, self.staff.workers)
            self._turns[key] = tuple(dict.fromkeys(s.duty.user_id for s in spans if s.duty is not None))
        return self._turns[key]


def climb(ticket: Ticket, priority: Priority, lookout: Lookout, rooms: Sequence[str]) -> Step:
    """Tell the steps that are due; a case that was taken or is over has none.

    After an outage several may be due: whoever they name is told once, at the last of them.

    Args:
        ticket: the case.
        priority: how grave it is now.
        lookout: who is on call.
        rooms: where its team is told.
    """
    here, now = ticket.run.escalation, lookout.now
    if here is None or not ticket.is_untaken:
        return Step(ticket)
    due = escalation.overdue(here, ticket.run.calendar, now)
    if not due:
        return Step(ticket)
    grave = priority >= here.policy.least
    after = escalation.told(here, due[-1]) if grave else escalation.rest(here)
    ticket = replace(ticket, version=ticket.version + 1, run=replace(ticket.run, escalation=after))
    if not grave:
        return Step(ticket)
    entries: list[Entry] = []
    tells: list[Tell] = []
    known: set[Door] = set()
    for rung in reversed(due):
        found = whom(rung.tell, here.policy, ticket, lookout, rooms)
        fresh = tuple(one for one in found if one.door not in known)
        known |= {one.door for one in fresh}
        if fresh or not found:
            entries.append(_line(rung, fresh, now))
        if fresh:
            doors = tuple(one.door for one in fresh)
            tells.append(Tell(Occasion.UNTAKEN, _key(ticket, rung), frozenset(), doors))
    return Step(ticket, tuple(reversed(entries)), tells=tuple(reversed(tells)))


def coming(
    ticket: Ticket, priority: Priority, staff: Staff, now: datetime, rooms: Sequence[str]
) -> Coming | None:
    """What comes next if nobody takes the case and nothing else changes; None when nothing does."""
    here = ticket.run.escalation
    if here is None or not ticket.is_untaken or priority < here.policy.least:
        return None
    ahead = escalation.next_due(here, ticket.run.calendar)
    if ahead is None:
        return None
    rung, at = ahead
    return Coming(at, whom(rung.tell, here.policy, ticket, Lookout(staff, max(at, now)), rooms))


def whom(
    tell: Sequence[str], policy: EscalationPolicy, ticket: Ticket, lookout: Lookout, rooms: Sequence[str]
) -> tuple[Told, ...]:
    """Whom a step tells now, each once; where it means people and there is none, who is told instead."""
    found = [Told(door, code_of(one)) for one in tell for door in _doors(one, ticket, lookout, rooms)]
    meant = [one for one in tell if not is_room(one)]
    if meant and all(one.door[1] == TEAM for one in found):
        missing = ",".join(dict.fromkeys(map(code_of, meant)))
        for one in (*policy.fall_back, ""):
            doors = _doors(one, ticket, lookout, rooms)
            if doors:
                found += [Told(door, code_of(one or Whom.MANAGER), missing) for door in doors]
                break
    return tuple({one.door: one for one in reversed(found)}.values())[::-1]


def people(whom: str, team: str, owner: UUID | None, lookout: Lookout) -> Sequence[UUID | None]:
    """Who that is now, None standing for nobody; of "" all managers of the house."""
    staff = lookout.staff
    match whom:
        case Whom.ON_CALL:
            return (lookout.on_call(team),)
        case Whom.NEXT_ON_CALL:
            return (lookout.next_on_call(team, owner),)
        case Whom.MANAGER:
            return lookout.team(team).managers
        case Whom.LEADERSHIP:
            return lookout.team(team).leaders
        case "":
            return staff.managers
        case _:
            member = staff.by_id(owner) if whom == Whom.OWNER else staff.by_email(whom)
            return (member.user_id if member else None,)


def _doors(whom: str, ticket: Ticket, lookout: Lookout, rooms: Sequence[str]) -> tuple[Door, ...]:
    """Where somebody is told."""
    if is_room(whom):
        return tuple((room, TEAM) for room in rooms if whom in {Whom.ROOM, kind_of(room)})
    found = people(whom, ticket.team, ticket.owner.user_id, lookout)
    return tuple(("email", str(user_id)) for user_id in found if user_id is not None)


def _key(ticket: Ticket, rung: Rung) -> str:
    """The same for a step of a round of one run of the case in one team, whatever else the policy holds."""
    here = ticket.run.escalation
    minutes = rung.after // timedelta(minutes=1)
    step = f"untaken/{ticket.run.generation}/{rung.round}/{minutes}"
    return f"{step}/{here.moved_to}" if here and here.moved_to else step


def _line(rung: Rung, told: Sequence[Told], now: datetime) -> Entry:
    data = {
        "round": str(rung.round),
        "place": str(rung.place),
        "minutes": str(rung.after // timedelta(minutes=1)),
        "to": " ".join(one.to for one in told),
        "as": " ".join(one.role for one in told),
    }
    return Entry(Kind.UNTAKEN, now, data=data)
