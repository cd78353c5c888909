"""Who is told of a case, when, and who instead: read off the rules, so that it cannot lie (R72)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.alerts.domain import layers, words
from services.alerts.domain.clocks import SHARE, Level
from services.alerts.domain.escalating import Lookout, people
from services.alerts.domain.escalation import PERSON, Whom, code_of, is_room, whom_in_words
from services.alerts.domain.matching import Match
from services.alerts.domain.model import Audience
from services.alerts.domain.priority import Priority
from services.alerts.domain.rooms import kind_of, team_of
from services.alerts.domain.routing import Staff, Team
from services.alerts.domain.teams import Route
from services.alerts.domain.ticket import ESCALATIONS, FIRST_TOLD, UNRESOLVED_TOLD
from shared.contracts.surveys import CloseTheLoop

_USUAL = CloseTheLoop()
_WHEN = {
    Level.REMINDER: "Half of the promised time is over and nobody has spoken with the customer",
    Level.LATE: "The promised time is over",
    Level.LEADERSHIP: "Twice the promised time is over: the hard limit",
}
_ORDER = (Audience.OWNER, Audience.TEAM, Audience.MANAGERS, Audience.LEADERSHIP, Audience.WATCHERS)


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """One step: when it comes, after which usual time, and who is told."""

    when: str
    after: str
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routed:
    """Which cases come here: the name of the route, and what it looks for."""

    name: str
    looks_for: str
    also: tuple[str, ...]


def steps(team: Team, staff: Staff, rooms: Sequence[str]) -> tuple[PolicyStep, ...]:
    """What happens to a case of this team in which nobody does anything."""
    return tuple(_steps(team, staff, rooms))


def _steps(team: Team, staff: Staff, rooms: Sequence[str]) -> Iterator[PolicyStep]:
    def told(audiences: frozenset[Audience]) -> tuple[str, ...]:
        wanted = (_named(who, team, staff, rooms) for who in _ORDER if who in audiences)
        return tuple(text for text in wanted if text)

    yield PolicyStep("The case opens, or somebody else of the customer joins it", "at once", told(FIRST_TOLD))
    within = timedelta(hours=_USUAL.contact_within_hours)
    for level, (_, audiences) in ESCALATIONS.items():
        yield PolicyStep(_WHEN[level], f"after {words.span(within * SHARE[level])}", told(audiences))
    resolve = timedelta(hours=_USUAL.resolve_within_hours)
    late = f"after {words.span(resolve)}"
    yield PolicyStep("The case is not resolved in time", late, told(UNRESOLVED_TOLD))


def untaken(team: Team, staff: Staff, rooms: Sequence[str], now: datetime) -> tuple[PolicyStep, ...]:
    """The first round of what happens while nobody takes a case of this team."""
    if team.policy is None:
        return ()
    lookout = Lookout(staff, now)

    def said(whom: str) -> str:
        if whom == Whom.OWNER:
            return whom_in_words(whom)
        if is_room(whom):
            there = [_room(room) for room in rooms if whom in {Whom.ROOM, kind_of(room)}]
            return f"the team's room ({', '.join(there)})" if there else "the team's room (there is none)"
        found = tuple(who for who in people(whom, team.key, None, lookout) if who is not None)
        if code_of(whom) == PERSON:
            return _people(found, staff) if found else f"{whom} (no active user)"
        return f"{whom_in_words(whom)}: {_people(found, staff)}{_now(whom)}"

    return tuple(
        PolicyStep(
            "Nobody has taken the case", f"after {words.span(step.after)}", tuple(map(said, step.tell))
        )
        for step in team.policy.steps
    )


def _now(whom: str) -> str:
    return " now" if whom in {Whom.ON_CALL, Whom.NEXT_ON_CALL} else ""


def rules_of(team: Team, staff: Staff) -> tuple[str, ...]:
    """For which cases the steps are, how often they come, and who is told when one reaches nobody."""
    policy = team.policy
    if policy is None:
        return ()
    often = "once" if policy.repeat == 1 else f"{policy.repeat} times"
    again = f"All steps are gone through {often} more, each {words.span(policy.steps[-1].after)} later."
    first = ", else ".join(
        dict.fromkeys((*(_stand_in(one, staff) for one in policy.fall_back), "all managers"))
    )
    wanted = (
        _GRAVE[policy.least],
        again if policy.repeat else "",
        f"When a step reaches nobody, others are told instead: {first}.",
        "The times count in the team's working hours alone."
        if team.calendar and not policy.all_hours
        else "",
    )
    return tuple(text for text in wanted if text)


def _stand_in(whom: str, staff: Staff) -> str:
    member = staff.by_email(whom)
    return member.name if member else whom_in_words(whom)


_GRAVE = {
    Priority.NORMAL: "These steps are for every case.",
    Priority.HIGH: "These steps are for cases of high or urgent priority.",
    Priority.URGENT: "These steps are for urgent cases.",
}


def instead(team: Team, staff: Staff, now: datetime) -> tuple[str, ...]:
    """Who is asked for a case whose account has no owner here, in their order; the managers at last."""
    found = []
    for key in dict.fromkeys((team.key, *team.fall_backs, "")):
        there = staff.team(key)
        duty = layers.who(there.stack, now, staff.workers)
        member = staff.by_id(duty.user_id) if duty else None
        name = there.name or "the rota that everybody shares"
        found.append(f"{name}: {member.name if member else 'nobody'} now")
    return (*found, f"managers: {_people(team.managers, staff)}")


def routes(team: Team, found: Sequence[Route]) -> tuple[Routed, ...]:
    """The routes that lead to this team, in the order in which they are tried."""
    return tuple(
        Routed(one.name or f"route {place}", _sought(one), tuple(one.also))
        for place, one in enumerate(found, 1)
        if (one.team or "") == team.key
    )


def _sought(route: Route) -> str:
    if route.repeated is None:
        return looks_for(route.when)
    before = f"{route.repeated.cases} or more cases within {route.repeated.days} days before"
    return f"{looks_for(route.when)}, after {before}"


def looks_for(match: Match) -> str:
    """What a case must be, in words."""
    named = match.model_dump(mode="json", exclude_defaults=True)
    named |= named.pop("attributes", {})
    parts = (f"{name.replace('_', ' ')} {' or '.join(values)}" for name, values in named.items() if values)
    return ", ".join(parts) or "every case"


def _named(who: Audience, team: Team, staff: Staff, rooms: Sequence[str]) -> str:
    match who:
        case Audience.OWNER:
            return "the owner of the case"
        case Audience.TEAM:
            return f"the team's room ({', '.join(map(_room, rooms))})" if rooms else ""
        case Audience.MANAGERS:
            return f"managers: {_people(team.managers, staff)}"
        case Audience.LEADERSHIP:
            return f"leadership: {_people(team.leaders, staff)}"
        case Audience.WATCHERS:
            return "whoever watches the case"


def _room(channel: str) -> str:
    return f"{kind_of(channel)}, its own" if team_of(channel) else channel


def _people(ids: Sequence[object], staff: Staff) -> str:
    names = [member.name for member in staff.members if member.user_id in ids]
    return ", ".join(names) or "nobody"
