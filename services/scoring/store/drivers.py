"""What drives a programme's score: ratings read from its newest answers, and the sums by attribute."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.scoring.domain.asking import Question, Span
from services.scoring.domain.drivers import Driver, Effect, Rating, Wish, drivers, effects, wishes
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.rollups import CONTEXT, JOINT
from services.scoring.store import queries
from shared.contracts.forms import QuestionType
from shared.db.database import Connection

NEWEST = 5000
"""Answers whose ratings are read for one programme."""

_ANSWERS = """
select coalesce(coalesce(m.id, account_id)::text, ''), answer
from answer_facts left join merged m on m.former = account_id
where state = 'counted' and programme = $1 and day between $2 and $3 order by day desc limit $4
"""
_NAMED = """
select distinct rollup from score_cells
where rollup like $1 and starts_with(value, $2) and day between $3 and $4
"""
_FORM = "select brand, attributes from programmes where programme = $1"


@dataclass(frozen=True, slots=True)
class Moved:
    """What moves a programme's score: rated attributes, those of the event by metric and family, wishes."""

    rated: Sequence[Driver]
    effects: Sequence[tuple[Metric, str, Sequence[Effect]]]
    wished: Sequence[Wish]
    words: Mapping[str, Mapping[str, str]]
    complete: bool


async def moved(conn: Connection, programme: str, span: Span) -> Moved:
    """Everything that goes with a programme's score in a span."""
    form = await conn.fetchrow(_FORM, programme)
    brand: set[str] = set(form[0]) if form else set()
    words: dict[str, dict[str, str]] = json.loads(form[1]) if form else {}
    ratings: list[Rating] = []
    chosen: list[Sequence[str]] = []
    rows = await conn.fetch(_ANSWERS, programme, span.first, span.last, NEWEST)
    for account, text in map(tuple, rows):
        answer = json.loads(text)
        ratings += _ratings(answer, account)
        choices = answer.get("choices") or {}
        chosen += [choices[question] for question in brand if question in choices]
    return Moved(
        drivers(ratings),
        await _effects(conn, programme, span),
        wishes(chosen),
        words,
        complete=len(rows) < NEWEST,
    )


def _ratings(answer: dict[str, object], account: str) -> list[Rating]:
    scores = answer["scores"]
    if not isinstance(scores, list):
        return []
    primary = next(
        (one["value"] for one in scores if one["question"] == answer["primary"] and not one.get("item")), None
    )
    if primary is None:
        return []
    return [
        Rating(one["item"], one["value"], primary, account)
        for one in scores
        if one["type"] == QuestionType.MATRIX.value and one.get("item")
    ]


async def _effects(
    conn: Connection, programme: str, span: Span
) -> list[tuple[Metric, str, Sequence[Effect]]]:
    pattern, prefix = f"programme+{CONTEXT}%", f"{programme}{JOINT}"
    counted: dict[tuple[Metric, str], dict[tuple[str, str], Histogram]] = {}
    for row in await conn.fetch(_NAMED, pattern, prefix, span.first, span.last):
        rollup = row[0]
        for one in await queries.scores(conn, Question(rollup, prefix, exact=False, span=span)):
            name = rollup.rpartition(CONTEXT)[2]
            mine = counted.setdefault((one.histogram.metric, one.family), {})
            mine[name, one.value.removeprefix(prefix)] = one.histogram
    return [(metric, family, effects(metric, found)) for (metric, family), found in sorted(counted.items())]
