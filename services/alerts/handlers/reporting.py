"""How cases are taken care of and how they turn out: in all, by team and by owner (R72, R82, R83)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.care import Care, Cared, Round
from services.alerts.domain.care import care as summed
from services.alerts.domain.outcomes import Outcomes, total
from services.alerts.domain.routing import Staff
from services.alerts.handlers.applying import Desk
from services.alerts.store import care, outcomes, rota
from services.alerts.store.care import Whose
from shared.db.database import Connection

SHARED, SHARED_KEY = "The shared rota", "-"
"""The rota that everybody shares has no key; this stands for it in addresses."""
NOBODY, NOBODY_KEY = "Nobody", "-"


class Cut(StrEnum):
    """Of what a line is the sum."""

    ALL = "all"
    TEAM = "team"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `key`: of the team, "" for the shared rota; the owner's id, "" for nobody; "" for all.

    Attributes:
        care: of rounds that began in the span, with whose the case is now.
        outcomes: of cases that ended in it.
    """

    cut: Cut
    key: str
    name: str
    care: Care
    outcomes: Outcomes


BOTH = (Cut.TEAM, Cut.OWNER)


async def report(
    desk: Desk,
    conn: Connection,
    span: tuple[datetime, datetime],
    whose: Whose,
    now: datetime,
    cuts: Sequence[Cut] = BOTH,
) -> list[Line]:
    """All together first, then what it is cut by: each team, each owner, those with most cases first."""
    found = await care.since(conn, *span, whose)
    ended = {
        key: counts for key, counts in (await outcomes.since(conn, *span)).items() if _meant(whose, *key)
    }
    staff = await rota.staff(conn, now, desk.leadership, desk.roster)
    owners = await rota.names(conn)
    lines = [Line(Cut.ALL, "", "All", summed([one.round for one in found], now), total(ended.values()))]
    for cut, named in ((Cut.TEAM, _team(staff)), (Cut.OWNER, _owner(owners))):
        if cut in cuts:
            lines += _lines(cut, found, ended, named, now)
    return lines


def whose(team: str, owner: UUID | None, *, nobody: bool) -> Whose:
    """Whose cases an address means; no team and no owner are all of them."""
    return Whose(("" if team == SHARED_KEY else team) if team else None, owner, nobody)


def _meant(whose: Whose, team: str, owner: UUID | None) -> bool:
    theirs = owner is None if whose.nobody else whose.owner in {None, owner}
    return theirs and whose.team in {None, team}


_Named = Callable[[str, UUID | None], tuple[str, str]]
"""Key and name of the group that a team and an owner belong to."""


def _team(staff: Staff) -> _Named:
    names = {team.key: team.name for team in staff.teams if team.key}
    return lambda team, _: (team, names.get(team, team) if team else SHARED)


def _owner(names: Mapping[UUID, str]) -> _Named:
    def named(_: str, owner: UUID | None) -> tuple[str, str]:
        return (str(owner), names.get(owner, "Somebody who has left")) if owner else ("", NOBODY)

    return named


def _lines(
    cut: Cut,
    found: Iterable[Cared],
    ended: Mapping[tuple[str, UUID | None], Outcomes],
    named: _Named,
    now: datetime,
) -> Sequence[Line]:
    rounds: dict[tuple[str, str], list[Round]] = defaultdict(list)
    results: dict[tuple[str, str], Outcomes] = defaultdict(Outcomes)
    for one in found:
        rounds[named(one.team, one.owner)].append(one.round)
    for key, counts in ended.items():
        results[named(*key)] += counts
    lines = [
        Line(cut, key, name, summed(rounds[key, name], now), results[key, name])
        for key, name in {*rounds, *results}
    ]
    return sorted(lines, key=lambda line: (-line.care.cases, -line.outcomes.cases, line.name, line.key))
