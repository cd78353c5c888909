"""The weeks ahead of one team: shifts, gaps and swaps, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.alerts.domain.gap_words import SHARED
from services.alerts.domain.outlook import Outlook, outlook
from services.alerts.domain.rota import Shift
from services.alerts.domain.routing import Staff, Team
from services.alerts.domain.swaps import Swap, SwapState
from services.alerts.store.warnings import Kept

LEFT = "Somebody who has left"


@dataclass(frozen=True, slots=True)
class Choice:
    """A shift of somebody else that mine can be swapped against."""

    user_id: UUID
    name: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A shift or a gap; `why` is a gap's reason, `choices` what mine may be swapped for."""

    starts_at: datetime
    ends_at: datetime
    name: str = ""
    by: str = ""
    mine: bool = False
    running: bool = False
    why: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class SwapView:
    """A swap as both see it, and what the one who looks may do about it."""

    id: UUID
    asker: str
    partner: str
    given: tuple[datetime, datetime]
    taken: tuple[datetime, datetime]
    agreed: bool
    may_agree: bool
    may_end: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the page shows of a team's rota."""

    team: Team
    name: str
    ahead: Outlook
    lines: tuple[Line, ...]
    swaps: tuple[SwapView, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """Whether somebody was told of a gap, in a sentence; `state` is a badge's."""

    state: str
    text: str
    starts_at: datetime
    ends_at: datetime
    note: str


def heard(found: Sequence[Kept], names: Mapping[UUID, str]) -> list[Heard]:
    """What became of each mail that warns of a gap, what failed first."""
    order = {"failed": 0, "pending": 1, "sent": 2}
    return [_heard(one, names) for one in sorted(found, key=lambda one: order[one.state])]


def _heard(one: Kept, names: Mapping[UUID, str]) -> Heard:
    who, warned = names.get(one.warned.recipient, LEFT), one.warned
    if one.state == "sent":
        said = ("ok", f"{who} was told by mail")
    elif one.state == "failed":
        said = ("danger", f"{who} could not be told by mail")
    elif warned.attempts:
        tries = "one try" if warned.attempts == 1 else f"{warned.attempts} tries"
        said = ("warn", f"{who} is not told yet: {tries} failed, the next follows")
    else:
        said = ("neutral", f"{who} is being told by mail")
    return Heard(*said, warned.starts_at, warned.ends_at, one.detail if one.state != "sent" else "")


def chosen(staff: Staff, key: str | None, me: UUID) -> Team:
    """The team asked for; else the first of which one is part, else the shared rota, if it is in use."""
    teams = staff.teams
    if key is not None:
        return staff.team(key)
    mine = (team for team in teams if any(me in layer.members for layer in team.stack.layers))
    used = (team for team in reversed(teams) if team.stack.layers or team.key)
    return next(mine, None) or next(used, None) or staff.team()


def plan(
    team: Team, staff: Staff, swaps: Sequence[Swap], names: Mapping[UUID, str], me: UUID, now: datetime
) -> Plan:
    """Put it together."""
    ahead = outlook(team, staff, now)
    lines = [_line(shift, ahead.shifts, names, me, now) for shift in ahead.shifts]
    lines += [Line(gap.starts_at, gap.ends_at, why=gap.why) for gap in ahead.gaps]
    lines.sort(key=lambda line: line.starts_at)
    views = tuple(_swap(swap, names, me, now) for swap in swaps if swap.team == team.key)
    return Plan(team, team.name or SHARED, ahead, tuple(lines), views)


def _line(shift: Shift, shifts: Sequence[Shift], names: Mapping[UUID, str], me: UUID, now: datetime) -> Line:
    mine, running = shift.user_id == me, shift.starts_at <= now
    others = [other for other in shifts if other.user_id != me and other.starts_at > now]
    choices = tuple(Choice(o.user_id, names.get(o.user_id, LEFT), o.starts_at, o.ends_at) for o in others[:8])
    return Line(
        shift.starts_at,
        shift.ends_at,
        names.get(shift.user_id, LEFT),
        "stands in" if shift.override else shift.layer,
        mine=mine,
        running=running,
        choices=choices if mine and not running else (),
    )


def _swap(swap: Swap, names: Mapping[UUID, str], me: UUID, now: datetime) -> SwapView:
    offered = swap.state is SwapState.OFFERED
    first = min(swap.given.starts_at, swap.taken.starts_at)
    return SwapView(
        swap.id,
        names.get(swap.asker, LEFT),
        names.get(swap.partner, LEFT),
        (swap.given.starts_at, swap.given.ends_at),
        (swap.taken.starts_at, swap.taken.ends_at),
        agreed=not offered,
        may_agree=offered and me == swap.partner and first > now,
        may_end=me in {swap.asker, swap.partner} and (offered or first > now),
    )
