"""A case that nobody takes, and whom its team may tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.alerts.domain import clocks
from services.alerts.domain import ticket as life
from services.alerts.domain.clocks import Clock
from services.alerts.domain.escalating import Lookout, climb
from services.alerts.domain.escalation import DEFAULT, EscalationPolicy
from services.alerts.domain.model import Owner, Step, Ticket
from services.alerts.domain.priority import Priority
from services.alerts.domain.rota import Rota
from services.alerts.domain.routing import Member, Rank, Staff
from services.alerts.domain.teams import read_roster
from shared.runtime.ids import derive
from tests.support.alerts import answer

MINUTE = timedelta(minutes=1)
NIGHT = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
FILE = """
teams:
  care:
    name: Care
    manager: mia@x.test
    leadership: [leo@x.test]
    rota: [{people: [rita@x.test, ola@x.test, li@x.test], first: 2026-01-05, every: day, at: "00:00"}]
"""
RANKS = {
    "rita": Rank.REP, "ola": Rank.REP, "li": Rank.REP, "mia": Rank.MANAGER, "leo": Rank.VIEWER,
    "ada": Rank.ADMIN,
}  # fmt: skip
IDS = {name: derive("user", name) for name in RANKS}
ROOMS = ("slack", "pagerduty:care")


def staff(*gone: str) -> Staff:
    """Everybody but those who have left; Rita is on call, then Ola, then Li."""
    roster = read_roster(FILE).value
    assert roster is not None
    members = tuple(
        Member(IDS[name], f"{name}@x.test", name, rank) for name, rank in RANKS.items() if name not in gone
    )
    return Staff(members, Rota(), roster=roster)


def opened(
    policy: EscalationPolicy | None = DEFAULT, *, owner: str = "rita", at: datetime = NIGHT, **more: Any
) -> Ticket:
    """A case of Care that was just opened."""
    said = answer("r1", team="care", policy=policy, at=at, **more)
    return life.open_(said, derive("ticket", "t"), Owner(IDS[owner], "is on call")).ticket


def rings(
    ticket: Ticket, at: datetime, everybody: Staff | None = None, priority: Priority = Priority.URGENT
) -> Step:
    """The worker looks at its steps."""
    return climb(ticket, priority, Lookout(everybody or staff(), at), ROOMS)


def due(ticket: Ticket) -> datetime | None:
    """When the timer of its steps is due."""
    timers = clocks.timers(ticket.run, untaken=ticket.is_untaken)
    return next((timer.due_at for timer in timers if timer.clock is Clock.UNTAKEN), None)
