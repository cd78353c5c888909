"""How quickly cases are taken care of: sums of weeks, and around them case by case."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, islice
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from services.alerts.domain.care import KINDS, Cared, CareSum, Line, Round, Whom, rounds, summed, together
from services.alerts.domain.clocks import Level
from services.alerts.domain.model import Kind
from services.alerts.domain.weeks import Span, runs
from services.alerts.store import weeks
from services.alerts.store.weeks import Kept
from shared.contracts.tickets import TicketState
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose cases are meant: those of a team, "" for the shared rota, and of an owner; None for all.

    Attributes:
        nobody: only those without owner.
    """

    team: str | None = None
    owner: UUID | None = None
    nobody: bool = False

    def means(self, whom: Whom) -> bool:
        """Whether cases of a team and an owner are meant."""
        team, owner = whom
        theirs = owner is None if self.nobody else self.owner in {None, owner}
        return theirs and self.team in {None, team}


_Run = tuple[tuple[date, str], ...]
"""Some weeks with their versions."""


class Memory:
    """Sums of weeks that were read, put together by the eight; those used last. Of one database alone.

    To put a year together of them takes a quarter of the time that it takes from its weeks.
    """

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._runs: OrderedDict[_Run, Mapping[Whom, CareSum]] = OrderedDict()

    async def sums(self, conn: Connection, wanted: Sequence[_Run]) -> list[Mapping[Whom, CareSum]]:
        """What runs of weeks come to; those that are not known in this version are read."""
        found = {run: self._runs.pop(run) for run in wanted if run in self._runs}
        new = [run for run in wanted if run not in found]
        texts = iter(await weeks.read(conn, [week for run in new for week, _ in run], Kept.CARE))
        for run in new:
            groups = [group for text in islice(texts, len(run)) for group in _decode(text)]
            found[run] = _together(((one.team, one.owner), one.care) for one in groups)
        self._runs.update(found)
        while len(self._runs) > self._most:
            self._runs.popitem(last=False)
        return [found[run] for run in wanted]


class _Group(msgspec.Struct):
    """What a week keeps of one team and owner."""

    team: str
    owner: UUID | None
    care: CareSum


_ENDED = "t.ended_at is not null"
_OPEN = "t.state in ('open', 'acknowledged', 'contacted')"
_MEANT = """
    ($3::text is null or t.team = $3) and ($4::uuid is null or t.owner = $4) and (not $5 or t.owner is null)
"""
_PARTS = "unnest($1::timestamptz[], $2::timestamptz[]) as part (start, until)"
# A case that was never opened again is in its one round: its row is as its timeline says.
_ONCE = """
select t.team, t.owner, t.opened_at, t.acknowledged_at, t.contacted_at,
    case when t.state = '{resolved}' then t.ended_at end, t.ended_at, t.told >= {late}, t.resolve_told
from {parts} join tickets t on t.opened_at >= part.start and t.opened_at < part.until
where t.generation = 1 and {state} and {meant}
"""
# Each case that may have begun in one of the parts, once: all of its timeline is read.
_AGAIN = """
select t.id, t.team, t.owner, l.kind, l.at, coalesce(l.data ->> 'clock', '') as clock,
    coalesce(l.data ->> 'level', '0')::int as level, coalesce(l.data ->> 'action', '') as action
from tickets t join timeline l on l.ticket_id = t.id and l.kind = any($6)
where t.id in (
        select t.id from {parts} join tickets t
            on greatest(t.started_at, t.ended_at) >= part.start and t.opened_at < part.until
        where t.generation > 1 and {state} and {meant})
order by t.id, l.id
"""
_decode = msgspec.json.Decoder(list[_Group]).decode


def _texts(state: str) -> tuple[str, str]:
    names = {"parts": _PARTS, "meant": _MEANT, "state": state}
    once = _ONCE.format(resolved=TicketState.RESOLVED.value, late=int(Level.LATE), **names)
    return once, _AGAIN.format(**names)


_OF_ENDED, _OF_OPEN = _texts(_ENDED), _texts(_OPEN)


async def since(
    conn: Connection, memory: Memory, span: Span, whose: Whose, now: datetime
) -> dict[Whom, CareSum]:
    """What the rounds of cases that began in a span come to, by whose the cases are now."""
    known, parts = await weeks.fresh(conn, span)
    sums = await memory.sums(conn, runs(known))
    cared = await _rounds(conn, _OF_ENDED, parts, whose)
    cared += await _rounds(conn, _OF_OPEN, [span], whose)
    sums.append(_summed(cared, now))
    return _together((whom, one) for found in sums for whom, one in found.items() if whose.means(whom))


def _together(found: Iterable[tuple[Whom, CareSum]]) -> dict[Whom, CareSum]:
    sums: dict[Whom, list[CareSum]] = defaultdict(list)
    for whom, one in found:
        sums[whom].append(one)
    return {whom: together(parts) for whom, parts in sums.items()}


async def of_weeks(conn: Connection, spans: Sequence[Span], now: datetime) -> list[list[dict[str, Any]]]:
    """What is kept of weeks: what the rounds of ended cases that began in each come to."""
    cared = await _rounds(conn, _OF_ENDED, spans, Whose())
    return [
        [
            {"team": team, "owner": owner, "care": sum_}
            for (team, owner), sum_ in _summed(
                [one for one in cared if start <= one.round.started_at < until], now
            ).items()
        ]
        for start, until in spans
    ]


def _summed(found: Iterable[Cared], now: datetime) -> Mapping[Whom, CareSum]:
    groups: dict[Whom, list[Round]] = defaultdict(list)
    for one in found:
        groups[one.team, one.owner].append(one.round)
    return {whom: summed(group, now) for whom, group in groups.items()}


async def _rounds(
    conn: Connection, texts: tuple[str, str], parts: Sequence[Span], whose: Whose
) -> list[Cared]:
    """The rounds of cases that began in some parts of time."""
    if not parts:
        return []
    asked = ([start for start, _ in parts], [until for _, until in parts])
    meant = (whose.team, whose.owner, whose.nobody)
    once = await conn.fetch(texts[0], *asked, *meant)
    again = await conn.fetch(texts[1], *asked, *meant, [kind.value for kind in KINDS])
    found = [Cared(team, owner, Round(*told)) for team, owner, *told in map(tuple, once)]
    return found + [
        one
        for one in _of_timelines(again)
        if any(start <= one.round.started_at < until for start, until in parts)
    ]


def _of_timelines(rows: Sequence[asyncpg.Record]) -> Iterable[Cared]:
    for (_, team, owner), lines in groupby(rows, key=lambda row: (row["id"], row["team"], row["owner"])):
        told = (Line(Kind(r["kind"]), r["at"], r["clock"], r["level"], r["action"]) for r in lines)
        yield from (Cared(team, owner, one) for one in rounds(told))
