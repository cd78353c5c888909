"""The score of each kind of survey beside the values of the industry and of competitors (R9, R92)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from services.scoring.domain.asking import Question
from services.scoring.domain.metrics import Score
from services.scoring.domain.references import Held, References, against
from services.scoring.domain.windows import Window, span_of
from services.scoring.store.judging import judged
from shared.db.database import Connection


class Beside(NamedTuple):
    """A score of a year, and the values that it is held against, lowest first."""

    family: str
    score: Score
    held: Sequence[Held]


async def beside(conn: Connection, references: References, today: date) -> list[Beside]:
    """The score of each kind of survey in the last 365 days, where a value holds for the house."""
    span = span_of(Window.DAYS_365, today)
    return [
        Beside(one.family, one.score, held)
        for one in await judged(conn, Question("total", "", exact=True, span=span))
        if (held := against(one.score, references))
    ]
