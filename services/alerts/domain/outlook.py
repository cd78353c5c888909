"""What a team's rota looks like from now on: who now, who next, the weeks ahead, and where nobody is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.alerts.domain import layers
from services.alerts.domain.layers import Gap
from services.alerts.domain.rota import Shift, shift_of
from services.alerts.domain.routing import Staff, Team

WEEKS = 4
"""How far people look ahead, unless they say otherwise."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A team's rota from an instant on.

    Attributes:
        now: who is on call; None when nobody is.
        following: whose shift comes next, whatever gap is before it.
        shifts: those of the time ahead, the running one whole.
        gaps: when nobody is on call, neither here nor in a team that the file names as the fall-back.
    """

    team: Team
    now: Shift | None
    following: Shift | None
    shifts: tuple[Shift, ...]
    gaps: tuple[Gap, ...]


def outlook(team: Team, staff: Staff, at: datetime, weeks: int = WEEKS) -> Outlook:
    """Look ahead."""
    until = at + timedelta(weeks=weeks)
    running = shift_of(layers.shift(team.stack, at, staff.workers))
    ahead = tuple(
        shift
        for span in layers.spans(team.stack, at, until, staff.workers)
        if (shift := shift_of(span)) is not None
    )
    if running is not None and ahead:
        ahead = (running, *ahead[1:])
    later = next((shift for shift in ahead if shift.starts_at > at), None)
    if later is not None:
        later = shift_of(layers.shift(team.stack, later.starts_at, staff.workers))
    return Outlook(team, running, later, ahead, gaps(team, staff, at, until))


def gaps(team: Team, staff: Staff, since: datetime, until: datetime) -> tuple[Gap, ...]:
    """When nobody is on call for a team; none while its rota is not in use at all."""
    if not team.stack.layers and not team.key:
        return ()
    found = layers.gaps(team.stack, since, until, staff.workers)
    for key in team.fall_backs:
        other = staff.team(key).stack
        found = tuple(
            replace(gap, starts_at=left.starts_at, ends_at=left.ends_at)
            for gap in found
            for left in layers.gaps(other, gap.starts_at, gap.ends_at, staff.workers)
        )
    return found
