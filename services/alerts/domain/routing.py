"""Who takes care of a case and who is told, with the reason in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID

from services.alerts.domain import layers
from services.alerts.domain.calendars import Calendar
from services.alerts.domain.escalation import EscalationPolicy
from services.alerts.domain.layers import Layer, Stack
from services.alerts.domain.model import Audience, Owner, Tell, Ticket
from services.alerts.domain.rota import Rota
from services.alerts.domain.teams import (
    NO_ROSTER,
    TURNS,
    LayerRule,
    Roster,
    Route,
    TeamRule,
    fall_backs,
    minutes,
)
from shared.contracts.model import Snapshot

TEAM = "team"
"""The recipient of channels that reach the team's room instead of one person."""
STRANGER = UUID(int=0)
"""Stands in a rota for an address that is nobody's, or of somebody who may not work on cases."""


class Rank(IntEnum):
    """Roles in rising order."""

    VIEWER = 0
    REP = 1
    MANAGER = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who uses Afterword and is active."""

    user_id: UUID
    email: str
    name: str
    rank: Rank
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Team:
    """A team as it is now; that of the rota which everybody shares has an empty key and no name.

    Attributes:
        managers: who is told of what is late.
        leaders: who is told at the hard limit.
        fall_backs: teams whose rota is asked when nobody is on call here, in their order.
        strangers: addresses in its rota that are no active user who works on cases.
        policy: what happens while nobody takes a case; None: nothing beside the promise.
        unknown: addresses that the policy names and that are no active user.
    """

    key: str
    name: str
    zone: str
    stack: Stack
    calendar: Calendar | None
    managers: tuple[UUID, ...]
    leaders: tuple[UUID, ...]
    fall_backs: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    policy: EscalationPolicy | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody who can be told, with the rotas.

    Attributes:
        rota: the one that everybody shares, with the overrides of all.
        leadership: addresses of those who hear of the hard limit (R82).
        roster: the teams and routes of `alerts.yaml`.
    """

    members: tuple[Member, ...]
    rota: Rota
    leadership: tuple[str, ...] = ()
    roster: Roster = NO_ROSTER

    def by_email(self, email: str) -> Member | None:
        """The member with this address, whatever its case."""
        wanted = email.strip().lower()
        return next((m for m in self.members if m.email.lower() == wanted), None) if wanted else None

    def by_id(self, user_id: UUID | None) -> Member | None:
        """The member with this id."""
        return next((m for m in self.members if m.user_id == user_id), None)

    @property
    def workers(self) -> frozenset[UUID]:
        """Those who may work on tickets."""
        return frozenset(m.user_id for m in self.members if m.rank >= Rank.REP)

    @property
    def managers(self) -> tuple[UUID, ...]:
        """All managers and administrators."""
        return tuple(m.user_id for m in self.members if m.rank >= Rank.MANAGER)

    @property
    def leaders(self) -> tuple[UUID, ...]:
        """Those named as leadership; else the administrators."""
        named = self._known(self.leadership)
        return named or tuple(m.user_id for m in self.members if m.rank is Rank.ADMIN)

    def team(self, key: str = "") -> Team:
        """A team; one that is not in the file any more is the shared rota."""
        rule = self.roster.teams.get(key)
        if rule is None:
            stack, calendar = self.rota.stack, self.rota.calendar
            shared = Team("", "", self.rota.zone, stack, calendar, self.managers, self.leaders)
            return replace(shared, policy=self.roster.policy_of(""), unknown=self._unknown(""))
        known = {m.email.lower(): m.user_id for m in self.members if m.rank >= Rank.REP}
        found = tuple(_layers(rule, known))
        overrides = tuple(o for o in self.rota.overrides if o.team == key)
        return Team(
            key,
            rule.name,
            rule.zone,
            Stack(found, overrides),
            rule.working_hours.calendar(rule.zone) if rule.working_hours else None,
            self._known((rule.manager,) if rule.manager else ()) or self.managers,
            self._known(rule.leadership) or self.leaders,
            fall_backs(self.roster, key),
            tuple(dict.fromkeys(one for layer in rule.rota for one in layer.people if one not in known)),
            self.roster.policy_of(key),
            self._unknown(key),
        )

    @property
    def teams(self) -> tuple[Team, ...]:
        """All teams, the shared rota last."""
        return (*(self.team(key) for key in self.roster.teams), self.team())

    def _unknown(self, key: str) -> tuple[str, ...]:
        """Addresses that a team's own escalation policy names and that are no active user."""
        team = self.roster.teams.get(key)
        rule = team.escalation if team else self.roster.escalation
        return tuple(one for one in rule.named if self.by_email(one) is None) if rule else ()

    def _known(self, emails: Iterable[str]) -> tuple[UUID, ...]:
        return tuple(m.user_id for email in emails if (m := self.by_email(email)))


def _layers(rule: TeamRule, known: dict[str, UUID]) -> Iterator[Layer]:
    """The layers; whoever may not work on cases keeps their place, so that nobody else's turn moves."""
    for place, layer in enumerate(rule.rota):
        members = tuple(known.get(email, STRANGER) for email in layer.people)
        yield _layer(layer, rule.named(place), members, rule.zone)


def _layer(rule: LayerRule, name: str, members: tuple[UUID, ...], zone: str) -> Layer:
    hours = rule.hours.hours if rule.hours else None
    return Layer(name, members, rule.first, minutes(rule.at), TURNS[rule.every], zone, hours)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person by mail, or the team's room."""

    channel: str
    to: str


def owner(
    account_owner: str, staff: Staff, at: datetime, team: Team | None = None, *, owner_first: bool = True
) -> Owner:
    """The account's owner if they use Afterword, else the one on call, else all managers.

    Args:
        account_owner: their address.
        staff: everybody.
        at: the present.
        team: whose case it is; None: of the rota that everybody shares.
        owner_first: whether the account's owner goes before the rota (R80).
    """
    member = staff.by_email(account_owner) if owner_first else None
    if member is not None and member.rank >= Rank.REP:
        return Owner(member.user_id, "owns the account")
    team = team or staff.team()
    missing = _why_not_the_owner(account_owner, owner_first=owner_first)
    for key in dict.fromkeys((team.key, *team.fall_backs, "")):
        there = staff.team(key)
        duty = layers.who(there.stack, at, staff.workers)
        if duty is not None:
            whose = f" for {there.name}" if there.name else ""
            instead = f", as nobody is for {team.name}" if there.key != team.key else ""
            return Owner(duty.user_id, f"is on call{whose}{instead}; {missing}")
    asked = "all managers are asked"
    return Owner(None, f"nobody is on call{f' for {team.name}' if team.name else ''} and {missing}: {asked}")


def strange_owners(owned: Mapping[str, int], staff: Staff) -> dict[str, int]:
    """Owners of accounts whom no case finds, with how many each has: nobody works under that address."""
    working = {member.email.lower() for member in staff.members if member.rank >= Rank.REP}
    return {one: n for one, n in owned.items() if one.strip().lower() not in working}


def _why_not_the_owner(account_owner: str, *, owner_first: bool) -> str:
    if not owner_first:
        return "cases like this go to the team first"
    return "the account's owner does not use Afterword" if account_owner else "the account has no owner"


def heir(ticket: Ticket, account_owner: str, staff: Staff, at: datetime) -> Owner:
    """Who takes over a case whose owner has left; it stays with its team."""
    owner_first = staff.roster.route_of(ticket.snapshot, themes=ticket.themes).owner_first
    return owner(account_owner, staff, at, staff.team(ticket.team), owner_first=owner_first)


def place(
    case: Snapshot, staff: Staff, past: Collection[timedelta] = (), themes: Collection[str] = ()
) -> tuple[Team, Route]:
    """Whose case it is, by the first route of `alerts.yaml` that fits.

    Args:
        case: what it is about.
        staff: everybody.
        past: ages of the customer's earlier cases.
        themes: what its voices speak about.
    """
    route = staff.roster.route_of(case, past, themes)
    return staff.team(route.team or ""), route


def recipients(tell: Tell, ticket: Ticket, staff: Staff, rooms: Iterable[str]) -> tuple[Recipient, ...]:
    """Everybody who is told on one occasion, each once.

    `rooms` are the names of the channels that reach the team's room.
    """
    people: list[UUID] = []
    team = staff.team(ticket.team)
    if Audience.OWNER in tell.audiences:
        owned = staff.by_id(ticket.owner.user_id)
        people.extend((owned.user_id,) if owned else team.managers)
    if Audience.MANAGERS in tell.audiences:
        people.extend(team.managers)
    if Audience.LEADERSHIP in tell.audiences:
        people.extend(team.leaders)
    if Audience.WATCHERS in tell.audiences:
        people.extend(user_id for user_id in ticket.watchers if staff.by_id(user_id))
    found = [Recipient("email", str(user_id)) for user_id in dict.fromkeys(people)]
    if Audience.TEAM in tell.audiences:
        found.extend(Recipient(room, TEAM) for room in rooms)
    found.extend(Recipient(*door) for door in tell.doors)
    return tuple(dict.fromkeys(found))
