"""Who takes care of a case and who is told, with the reason in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from services.alerts.domain import rota as rotas
from services.alerts.domain.model import Audience, Owner, Tell, Ticket
from services.alerts.domain.rota import Rota

TEAM = "team"
"""The recipient of channels that reach the team's room instead of one person."""


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


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody who can be told. `leadership`: addresses of those who hear of the hard limit (R82)."""

    members: tuple[Member, ...]
    rota: Rota
    leadership: tuple[str, ...] = ()

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
        named = tuple(m.user_id for email in self.leadership if (m := self.by_email(email)))
        return named or tuple(m.user_id for m in self.members if m.rank is Rank.ADMIN)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person by mail, or the team's room."""

    channel: str
    to: str


def owner(account_owner: str, staff: Staff, at: datetime) -> Owner:
    """The account's owner if they use Afterword, else the one on call, else all managers."""
    member = staff.by_email(account_owner)
    if member is not None and member.rank >= Rank.REP:
        return Owner(member.user_id, "owns the account")
    missing = "the account's owner does not use Afterword" if account_owner else "the account has no owner"
    shift = rotas.on_call(staff.rota, at, staff.workers)
    if shift is not None:
        return Owner(shift.user_id, f"is on call; {missing}")
    return Owner(None, f"nobody is on call and {missing}: all managers are asked")


def recipients(tell: Tell, ticket: Ticket, staff: Staff, rooms: Iterable[str]) -> tuple[Recipient, ...]:
    """Everybody who is told on one occasion, each once.

    `rooms` are the names of the channels that reach the team's room.
    """
    people: list[UUID] = []
    if Audience.OWNER in tell.audiences:
        owned = staff.by_id(ticket.owner.user_id)
        people.extend((owned.user_id,) if owned else staff.managers)
    if Audience.MANAGERS in tell.audiences:
        people.extend(staff.managers)
    if Audience.LEADERSHIP in tell.audiences:
        people.extend(staff.leaders)
    if Audience.WATCHERS in tell.audiences:
        people.extend(user_id for user_id in ticket.watchers if staff.by_id(user_id))
    found = [Recipient("email", str(user_id)) for user_id in dict.fromkeys(people)]
    if Audience.TEAM in tell.audiences:
        found.extend(Recipient(room, TEAM) for room in rooms)
    return tuple(found)
