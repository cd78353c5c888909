"""The sums of scoring: answers and scores per programme, as its cells have them and as its facts say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.scoring.domain.asking import Question, Span
from services.scoring.domain.facts import State
from services.scoring.store import queries
from services.scoring.store.judging import judged
from shared.db.database import Connection


@dataclass(frozen=True, slots=True)
class ProgrammeBooks:
    """One metric of one programme; `score` is None while nobody answered."""

    programme: str
    family: str
    metric: str
    n: int
    score: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Books:
    """Programmes, and the surveys asked, answered and held over all of them.

    Answers by a shared link are in the latter two, though nobody was asked.
    """

    programmes: Sequence[ProgrammeBooks]
    handed_over: int
    answered: int
    held: int


# No rate has them, so there is no cell to read: they are counted from the facts, for whoever audits.
_UNASKED = """
select state, count(*) from answer_facts where unasked group by state
"""


async def books(conn: Connection) -> Books:
    """Add everything up."""
    programmes = []
    for found in await judged(conn, Question("programme")):
        its = found.score
        programmes.append(
            ProgrammeBooks(
                *(found.value, found.family, its.metric.value),
                n=its.n,
                score=its.value,
                low=its.low,
                high=its.high,
            )
        )
    rates = (await queries.rates(conn, "programme", Span())).values()
    unasked = dict(await conn.fetch(_UNASKED))
    return Books(
        programmes,
        handed_over=sum(rate.handed_over for rate in rates),
        answered=sum(rate.answered for rate in rates) + unasked.get(State.COUNTED.value, 0),
        held=sum(rate.held for rate in rates) + unasked.get(State.HELD.value, 0),
    )
