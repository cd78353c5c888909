"""A score as programs read it: always with its answers and its doubt."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from services.scoring.domain.metrics import Score


class ScoreNumbers(BaseModel):
    """NPS in points from -100 to 100, CSAT and CES in percent; numbers are None while nobody answered."""

    n: int = Field(description="answers")
    score: float | None
    low: float | None = Field(description="lower end of the 95 % interval")
    high: float | None = Field(description="upper end of the 95 % interval")


class PeriodNumbers(ScoreNumbers):
    """The same of some days, both included."""

    start: date
    end: date


def numbers_of(found: Score) -> dict[str, Any]:
    """The fields of a score."""
    return {"n": found.n, "score": found.value, "low": found.low, "high": found.high}
