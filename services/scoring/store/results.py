"""What came of it: goals of groups, changes that were shipped, customers who stayed or left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from services.scoring.domain.asking import Span
from services.scoring.domain.change import Change, discoveries
from services.scoring.domain.goals import EVENTS, Goal, Reached, Value, measured, metric_of
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score
from services.scoring.domain.outcomes import Outcome, outcome
from services.scoring.domain.windows import around
from services.scoring.store import fates, products, reports
from services.scoring.store.judging import judged_together
from shared.db.database import Connection
from shared.intervals import happened

SHOWN_FIXES = 8
MOST_PRODUCTS = 3
"""Products of one change that are looked at."""

CERTAIN = 0.05

_GOALS = """
select goal_group, (array_agg(goal order by revision desc))[1], min(goal_since), array_agg(programme)
from programmes where goal -> 'goal' is not null and goal_group <> '' group by goal_group order by goal_group
"""
_KINDS = """
select metric, family, array_agg(programme order by programme) from headlines
where programme = any ($1::text[]) group by metric, family order by metric, family
"""
_HAPPENED = "select count(*)::int from happenings where kind = $1 and at >= $2::date and at < $3::date + 1"
_FIXES = """
select min(at)::date as day, label,
    coalesce(array_agg(distinct product) filter (where product <> ''), '{}') as products
from happenings
where kind = 'change_shipped' and at >= $1::date and at < $2::date + 1
group by label, date_trunc('day', at) order by day desc, label limit $3
"""


@dataclass(frozen=True, slots=True)
class Aim:
    """A group's goal, and how far it came; a goal on a score has one for each kind of survey (R6).

    `family` is that kind; "" for a goal on what happens, and where nobody has answered yet.
    """

    group: str
    title: Mapping[str, str]
    goal: Goal
    programmes: Sequence[str]
    family: str
    reached: Reached


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that was shipped, and how a score changed after it (R69).

    The score is that of a programme; or, where the change names a product, that of all surveys of one kind
    about this product, and `programme` is empty: the newest answers about it were given in the programmes
    `inside`. `before` and `after` are the days that are compared. `certain` has all comparisons of the list
    counted in.
    """

    day: date
    label: str
    programme: str
    product: str
    family: str
    metric: Metric
    change: Change
    before: Span
    after: Span
    certain: bool
    inside: Sequence[str] = ()


async def goals(conn: Connection, today: date) -> list[Aim]:
    """Every group that has a goal, with its progress; kinds of surveys apart."""
    aimed: list[tuple[str, Mapping[str, str], Goal, Sequence[str], str]] = []
    for group, text, since, programmes in map(tuple, await conn.fetch(_GOALS)):
        told = json.loads(text)
        goal = Goal(**{key: str(told["goal"][key]) for key in ("metric", "change", "baseline")},
                    by=date.fromisoformat(str(told["goal"]["by"])), since=since)  # fmt: skip
        aimed += [
            (group, told.get("title") or {}, goal, those, family)
            for family, those in await _kinds(conn, goal, programmes)
        ]
    scores = await judged_together(
        conn,
        [
            (metric, family, programmes, span)
            for _, _, goal, programmes, family in aimed
            if (metric := metric_of(goal))
            for span in (goal.before, goal.now(today))
        ],
    )
    judged = iter(scores)
    found = []
    for group, title, goal, programmes, family in aimed:
        before, now = [
            _said(next(judged)) if metric_of(goal) else await _times(conn, EVENTS.get(goal.metric, ""), span)
            for span in (goal.before, goal.now(today))
        ]
        found.append(Aim(group, title, goal, programmes, family, measured(goal, before, now, today)))
    return found


async def _kinds(
    conn: Connection, goal: Goal, programmes: Sequence[str]
) -> Sequence[tuple[str, Sequence[str]]]:
    """The kinds of surveys in which the metric of a goal was answered, with the programmes of each."""
    metric = metric_of(goal)
    rows = await conn.fetch(_KINDS, list(programmes)) if metric else []
    found = [(family, those) for of, family, those in map(tuple, rows) if of == metric]
    return found or [("", sorted(programmes))]


def _said(score: Score) -> Value:
    return Value(score.value, score.n, score.low, score.high)


async def _times(conn: Connection, kind: str, span: Span) -> Value:
    times = int(await conn.fetchval(_HAPPENED, kind, span.first, span.last))
    days = (span.last - span.first).days + 1
    if not kind or days <= 0:
        return Value(None, times)
    of, around_it = 30 / days, happened(times)
    return Value(of * times, times, of * around_it.low, of * around_it.high)


async def fixes(conn: Connection, today: date) -> list[Fix]:
    """The last changes that were shipped, each beside the scores of the days before and after it.

    What is said of its own products comes first.
    """
    found = await shipped(conn, today)
    return fixes_of(found, await about_products(conn, found), await about_programmes(conn, found))


class Shipped(NamedTuple):
    """A change that was shipped, its products, and the days after and before it."""

    day: date
    label: str
    products: Sequence[str]
    after: Span
    before: Span


async def shipped(conn: Connection, today: date) -> list[Shipped]:
    """The last changes that were shipped."""
    rows = await conn.fetch(_FIXES, today - timedelta(days=365), today, SHOWN_FIXES)
    return [
        Shipped(day, label, named[:MOST_PRODUCTS], *around(day, today))
        for day, label, named in map(tuple, rows)
    ]


async def about_products(conn: Connection, found: Sequence[Shipped]) -> list[list[list[reports.Compared]]]:
    """What is said of the products of each change, before and after it."""
    wanted = [(product, one.after, one.before) for one in found for product in one.products]
    compared = iter(await products.compared_each(conn, wanted))
    return [[next(compared) for _ in one.products] for one in found]


async def about_programmes(conn: Connection, found: Sequence[Shipped]) -> list[list[reports.Compared]]:
    """The scores of all programmes before and after each change."""
    return await reports.compared_each(conn, [(one.after, one.before) for one in found])


def fixes_of(
    found: Sequence[Shipped],
    about: Sequence[Sequence[Sequence[reports.Compared]]],
    whole: Sequence[Sequence[reports.Compared]],
) -> list[Fix]:
    """Changes with what was found of their products and of all programmes, judged together."""
    told = [
        (change, one)
        for change, own, each in zip(found, about, whole, strict=True)
        for of in (*own, each)
        for one in of
    ]
    raised = iter(discoveries([one.change.chance for _, one in told if one.change.chance is not None]))
    return [
        Fix(change.day, change.label, one.programme, one.product, one.family, one.metric, one.change,
            change.before, change.after,
            certain=one.change.chance is not None and next(raised) <= CERTAIN, inside=one.inside)
        for change, one in told
    ]  # fmt: skip


def since(today: date) -> date:
    """From which day on contracts that were renewed or ended are looked at."""
    return today - timedelta(days=365)


async def outcomes(conn: Connection, today: date) -> list[Outcome]:
    """What became of accounts within a year, by what they had said; no metric that nobody was asked."""
    known = await fates.by_mood(conn, since(today))
    return [outcome(metric, known[metric]) for metric in Metric if metric in known]
