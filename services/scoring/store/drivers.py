"""What drives a programme's score: ratings read from its newest answers, and the sums by attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from services.scoring.domain.asking import Question, Span
from services.scoring.domain.design import APART
from services.scoring.domain.drivers import Driver, Effect, Ratings, Wish, effects, wishes
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.rollups import CONTEXT, JOINT
from services.scoring.store import queries
from services.scoring.store.bindings import bounds
from services.scoring.store.clusterings import clusterings
from shared.contracts.forms import QuestionType
from shared.db.database import Connection

_MATRIX = QuestionType.MATRIX.value
NEWEST = 2000
"""Answers whose ratings are read for one programme."""

REMEMBERED = 10_000
"""Texts of answers that are kept as they were read; some ten megabytes."""

_ANSWERS = """
select coalesce(coalesce(m.id, account_id)::text, ''), answer
from answer_facts left join merged m on m.former = account_id
where state = 'counted' and programme = $1 and day between $2 and $3 order by day desc limit $4
"""
_NAMED = """
select distinct rollup from score_cells
where rollup between $1 and $2 and value between $3 and $4 and day between $5 and $6
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
    words: dict[str, dict[str, str]] = orjson.loads(form[1]) if form else {}
    ratings = Ratings()
    chosen: list[tuple[str, Sequence[str]]] = []
    rows = await conn.fetch(_ANSWERS, programme, span.first, span.last, NEWEST)
    for account, text in map(tuple, rows):
        primary, rated, choices = _read(text)
        if rated and primary is not None:
            ratings.take(primary, account, rated)
        if choices:
            chosen += [(account, options) for question, options in choices if question in brand]
    return Moved(
        ratings.drivers(),
        await _effects(conn, programme, span),
        wishes(chosen),
        words,
        complete=len(rows) < NEWEST,
    )


async def words_of(conn: Connection, programme: str) -> Mapping[str, Mapping[str, str]]:
    """What a programme calls its attributes, by language; empty where nothing is known of it."""
    form = await conn.fetchrow(_FORM, programme)
    words: dict[str, dict[str, str]] = orjson.loads(form[1]) if form else {}
    return words


class _Answer(NamedTuple):
    """What an answer says of attributes: its score, ratings of attributes, options that were chosen."""

    primary: int | None
    rated: Sequence[tuple[str, int]]
    choices: Sequence[tuple[str, Sequence[str]]]


@lru_cache(maxsize=REMEMBERED)
def _read(text: str) -> _Answer:
    """An answer as it is stored; most of those that a page is made of were read for the one before."""
    answer: dict[str, Any] = orjson.loads(text)
    primary, rated = None, []
    for one in answer["scores"]:
        item = one.get("item")
        if item:
            if one["type"] == _MATRIX:
                rated.append((item, one["value"]))
        elif primary is None and one["question"] == answer["primary"]:
            primary = one["value"]
    return _Answer(primary, rated, [*(answer.get("choices") or {}).items()])


async def _effects(
    conn: Connection, programme: str, span: Span
) -> list[tuple[Metric, str, Sequence[Effect]]]:
    prefix = f"{programme}{JOINT}"
    ends = (*queries.ends_of(f"programme+{CONTEXT}", exact=False), *queries.ends_of(prefix, exact=False))
    counted: dict[tuple[Metric, str], dict[tuple[str, str], Histogram]] = {}
    for row in await conn.fetch(_NAMED, *ends, span.first, span.last):
        rollup = row[0]
        for one in await queries.scores(conn, Question(rollup, prefix, exact=False, span=span)):
            name = rollup.rpartition(CONTEXT)[2]
            mine = counted.setdefault((one.histogram.metric, one.family), {})
            mine[name, one.value.removeprefix(prefix)] = one.histogram
    known = await clusterings(conn, {(metric, family, programme) for metric, family in counted})
    held: dict[str, dict[str, float]] = {}
    for name in sorted({name for found in counted.values() for name, _ in found}):
        families = {family for (_, family), found in counted.items() if any(of == name for of, _ in found)}
        for family, bound in (await bounds(conn, families, (f"{CONTEXT}{name}",))).items():
            held.setdefault(family, {})[name] = bound
    return [
        (
            metric, family,
            effects(metric, found, known.get((metric, family, programme), APART), held.get(family)),
        )
        for (metric, family), found in sorted(counted.items())
    ]  # fmt: skip
