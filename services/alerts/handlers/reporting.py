"""How cases are taken care of and how they turn out: in all, by team and by owner (R72, R82, R83)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.alerts.domain.care import Care, CareSum, Whom, together, told
from services.alerts.domain.outcomes import Outcomes, total
from services.alerts.domain.routing import Staff
from services.alerts.domain.weeks import span_of
from services.alerts.handlers.applying import Desk
from services.alerts.store import care, outcomes, rota, weeks
from services.alerts.store.care import Whose
from services.alerts.store.weeks import Kept
from shared.db.database import Connection, Database

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
AT_ONCE = 8
"""Weeks that are added up in one transaction."""


async def add_up(db: Database) -> int:
    """Add up weeks of which an ended case has changed; returns how many, or 0 where that were all.

    So a week in which cases end all the time is added up once a round, and not again at once.
    """
    async with db.begin() as tx:
        stale = await weeks.take_stale(tx.conn, AT_ONCE)
        if stale:
            await weeks.write(tx.conn, await _counted(tx.conn, stale, tx.now))
    return len(stale) if len(stale) == AT_ONCE else 0


async def check(db: Database) -> tuple[int, list[date]]:
    """Add up all weeks once more, as of one moment: how many there are, and which are kept otherwise."""
    count, wrong, after = 0, list[date](), None
    async with db.snapshot() as conn:
        while found := await weeks.kept(conn, after, AT_ONCE):
            counted = await _counted(conn, list(found), db.clock.now())
            wrong += [week for week, sums in found.items() if sums != counted[week]]
            count, after = count + len(found), max(found)
    return count, wrong


async def rebuild(db: Database) -> int:
    """Have all weeks added up anew; until then they are read case by case. Returns how many there are."""
    async with db.begin() as tx:
        return await weeks.mark_all(tx.conn)


async def _counted(conn: Connection, of: Sequence[date], now: datetime) -> dict[date, dict[Kept, str]]:
    spans = [span_of(week) for week in of]
    cared, ended = await care.of_weeks(conn, spans, now), await outcomes.of_weeks(conn, spans)
    return {
        week: {Kept.CARE: weeks.text_of(one), Kept.OUTCOMES: weeks.text_of(other)}
        for week, one, other in zip(of, cared, ended, strict=True)
    }


async def report(
    desk: Desk,
    conn: Connection,
    span: tuple[datetime, datetime],
    whose: Whose,
    now: datetime,
    cuts: Sequence[Cut] = BOTH,
) -> list[Line]:
    """All together first, then what it is cut by: each team, each owner, those with most cases first.

    `conn` sees one moment (`Database.snapshot`), or what changes meanwhile may count twice or not at all.
    """
    cared = await care.since(conn, desk.memory, span, whose, now)
    outcome = await outcomes.since(conn, *span)
    ended = {whom: counts for whom, counts in outcome.items() if whose.means(whom)}
    staff = await rota.staff(conn, now, desk.leadership, desk.roster)
    owners = await rota.names(conn)
    lines: list[Line] = []
    whole = list(cared.values())
    for cut, named in ((Cut.TEAM, _team(staff)), (Cut.OWNER, _owner(owners))):
        if cut in cuts:
            groups = _groups(cared, named)
            lines += _lines(cut, groups, ended, named)
            whole = list(groups.values())  # what is put together in part is put together sooner
    return [Line(Cut.ALL, "", "All", told(together(whole)), total(ended.values())), *lines]


def whose(team: str, owner: UUID | None, *, nobody: bool) -> Whose:
    """Whose cases an address means; no team and no owner are all of them."""
    return Whose(("" if team == SHARED_KEY else team) if team else None, owner, nobody)


_Named = Callable[[str, UUID | None], tuple[str, str]]
"""Key and name of the group that a team and an owner belong to."""


def _team(staff: Staff) -> _Named:
    names = {team.key: team.name for team in staff.teams if team.key}
    return lambda team, _: (team, names.get(team, team) if team else SHARED)


def _owner(names: Mapping[UUID, str]) -> _Named:
    def named(_: str, owner: UUID | None) -> tuple[str, str]:
        return (str(owner), names.get(owner, "Somebody who has left")) if owner else ("", NOBODY)

    return named


_Key = tuple[str, str]


def _groups(cared: Mapping[Whom, CareSum], named: _Named) -> Mapping[_Key, CareSum]:
    found: dict[_Key, list[CareSum]] = defaultdict(list)
    for whom, sum_ in cared.items():
        found[named(*whom)].append(sum_)
    return {key: together(sums) for key, sums in found.items()}


def _lines(
    cut: Cut, groups: Mapping[_Key, CareSum], ended: Mapping[Whom, Outcomes], named: _Named
) -> Sequence[Line]:
    results: dict[_Key, Outcomes] = defaultdict(Outcomes)
    for whom, counts in ended.items():
        results[named(*whom)] += counts
    none = together([])
    lines = [
        Line(cut, key, name, told(groups.get((key, name), none)), results[key, name])
        for key, name in {*groups, *results}
    ]
    return sorted(lines, key=lambda line: (-line.care.cases, -line.outcomes.cases, line.name, line.key))
