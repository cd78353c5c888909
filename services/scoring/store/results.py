"""What came of it: goals of groups, changes that were shipped, customers who stayed or left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.scoring.domain.asking import Span
from services.scoring.domain.change import Change, discoveries
from services.scoring.domain.goals import EVENTS, Goal, Reached, Value, measured, metric_of
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import FROM, Group, score
from services.scoring.domain.outcomes import DAYS_BEFORE, Fate, Outcome, outcome
from services.scoring.store import queries, reports
from shared.db.database import Connection

FIX_DAYS = 90
"""Days before and after a change that are compared."""

SHOWN_FIXES = 8
CERTAIN = 0.05

_GOALS = """
select goal_group, (array_agg(goal order by revision desc))[1], min(goal_since), array_agg(programme)
from programmes where goal -> 'goal' is not null and goal_group <> '' group by goal_group order by goal_group
"""
_HAPPENED = "select count(*)::int from happenings where kind = $1 and at >= $2::date and at < $3::date + 1"
_FIXES = """
select min(at)::date as day, label from happenings
where kind = 'change_shipped' and at >= $1::date and at < $2::date + 1
group by label, date_trunc('day', at) order by day desc, label limit $3
"""


def _balance(metric: Metric) -> str:
    """Happy answers less unhappy ones, and all that were given."""
    middle, high = FROM[metric]
    return (
        f"count(*) filter (where {metric} >= {high}) - count(*) filter (where {metric} < {middle})"
        f" as {metric}, count({metric}) as {metric}_given"
    )


def _moods(metric: Metric) -> str:
    """Accounts by what most of their answers were."""
    return f"""
    select '{metric}', sign({metric})::int, count(*)::int, (count(*) filter (where kind = 'churn'))::int
    from said where {metric}_given > 0 group by 2
    """  # noqa: S608 - names of our own


_FATES = f"""
with ended as (
    select distinct on (1) coalesce(m.id, account_id) as account_id, kind, at::date as day
    from happenings left join merged m on m.former = account_id
    where kind in ('churn', 'renewal') and account_id is not null and at >= $1::date
    order by 1, at desc
), said as materialized (
    select e.account_id, e.kind, {", ".join(map(_balance, Metric))}
    from ended e join answer_facts f on f.state = 'counted' and f.account_id = any (
            e.account_id || array(select former from merged m where m.id = e.account_id))
        and f.day < e.day and f.day >= e.day - $2::int
    group by e.account_id, e.kind
)
{" union all ".join(map(_moods, Metric))}
"""  # noqa: S608 - names and numbers of our own
_MOODS = {1: Group.HIGH, 0: Group.MIDDLE, -1: Group.LOW}
"""More happy than unhappy answers, as many, fewer."""


@dataclass(frozen=True, slots=True)
class Aim:
    """A group's goal, and how far it came."""

    group: str
    title: Mapping[str, str]
    goal: Goal
    programmes: Sequence[str]
    reached: Reached


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that was shipped, and how a programme's score changed after it (R69).

    `certain` has all comparisons of the list counted in.
    """

    day: date
    label: str
    programme: str
    family: str
    metric: Metric
    change: Change
    certain: bool


async def goals(conn: Connection, today: date) -> list[Aim]:
    """Every group that has a goal, with its progress."""
    found = []
    for group, text, since, programmes in map(tuple, await conn.fetch(_GOALS)):
        told = json.loads(text)
        goal = Goal(**{key: str(told["goal"][key]) for key in ("metric", "change", "baseline")},
                    by=date.fromisoformat(str(told["goal"]["by"])), since=since)  # fmt: skip
        before = await _value(conn, goal, goal.before, programmes)
        now = await _value(conn, goal, goal.now(today), programmes)
        reached = measured(goal, before, now, today)
        found.append(Aim(group, told.get("title") or {}, goal, sorted(programmes), reached))
    return found


async def _value(conn: Connection, goal: Goal, span: Span, programmes: Sequence[str]) -> Value:
    metric = metric_of(goal)
    if metric is None:
        kind = EVENTS.get(goal.metric, "")
        times = int(await conn.fetchval(_HAPPENED, kind, span.first, span.last))
        days = (span.last - span.first).days + 1
        return Value(30 * times / days if kind and days > 0 else None, times)
    (found,) = await queries.scores_in(conn, [span], programmes=programmes, metric=metric)
    whole = sum((one.histogram for one in found), Histogram.of(metric))
    return Value(score(whole).value, whole.n)


async def fixes(conn: Connection, today: date) -> list[Fix]:
    """The last changes that were shipped, each beside all scores of the days before and after it."""
    rows = list(map(tuple, await conn.fetch(_FIXES, today - timedelta(days=365), today, SHOWN_FIXES)))
    compared_at = await reports.compared_each(conn, [_around(day, today) for day, _ in rows])
    found: list[tuple[date, str, reports.Compared]] = [
        (day, label, one) for (day, label), of in zip(rows, compared_at, strict=True) for one in of
    ]
    compared = [one.change.chance for _, _, one in found if one.change.chance is not None]
    raised = iter(discoveries(compared))
    return [
        Fix(day, label, one.programme, one.family, one.metric, one.change,
            certain=one.change.chance is not None and next(raised) <= CERTAIN)
        for day, label, one in found
    ]  # fmt: skip


def _around(day: date, today: date) -> tuple[Span, Span]:
    """The days since a change, and those before it."""
    after = Span(day, min(today, day + timedelta(days=FIX_DAYS - 1)))
    return after, Span(day - timedelta(days=FIX_DAYS), day - timedelta(days=1))


async def outcomes(conn: Connection, today: date) -> list[Outcome]:
    """What became of accounts within a year, by what they had said; no metric that nobody was asked."""
    fates: dict[Metric, dict[Group, Fate]] = {}
    rows = await conn.fetch(_FATES, today - timedelta(days=365), DAYS_BEFORE)
    for metric, mood, accounts, left in map(tuple, rows):
        fates.setdefault(Metric(metric), {})[_MOODS[mood]] = Fate(accounts, left)
    return [outcome(metric, fates[metric]) for metric in Metric if metric in fates]
