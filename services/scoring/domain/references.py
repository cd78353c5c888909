"""Values to hold a score against: of an industry (R9) and of competitors (R92), as an operator has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score
from shared.words.dictionary import Language

Name = Annotated[str, Field(min_length=1, max_length=120)]


class Reference(BaseModel):
    """One value: whose it is, of what, and where it was read."""

    model_config = ConfigDict(extra="forbid")

    name: Name | Annotated[dict[Language, Name], Field(min_length=1)]
    metric: Metric = Metric.NPS
    value: float = Field(ge=-100, le=100)
    source: str = Field("", max_length=300)
    industry: str = Field("", max_length=80)
    competitor: bool = False

    @property
    def names(self) -> Mapping[str, str]:
        """Its name by language; a name that is the same in all is given as the English one."""
        return (
            {"en": self.name}
            if isinstance(self.name, str)
            else {str(key): name for key, name in self.name.items()}
        )

    def named(self, locale: str) -> str:
        """Its name in the reader's language, else in English, else in any."""
        known = self.names
        return known.get(locale) or known.get("en") or next(iter(known.values()))


class References(BaseModel):
    """The file: the house's own industry, and values; one without an industry holds for all."""

    model_config = ConfigDict(extra="forbid")

    industry: str = ""
    values: list[Reference] = []

    def of(self, metric: Metric) -> list[Reference]:
        """The values that hold for the house and a metric, lowest first."""
        mine = [
            one for one in self.values
            if one.metric is metric and one.industry.casefold() in ("", self.industry.casefold())
        ]  # fmt: skip
        return sorted(mine, key=lambda one: (one.value, one.named("en")))


class Standing(StrEnum):
    """Where a score stands against a value, as far as can be said."""

    ABOVE = "above"
    BELOW = "below"
    OPEN = "open"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Held:
    """A value and where the score stands against it."""

    reference: Reference
    standing: Standing


def against(score: Score, references: References) -> Sequence[Held]:
    """A score held against all values of its metric; above or below only where the whole interval is."""
    return [Held(one, _standing(score, one.value)) for one in references.of(score.metric)]


def _standing(score: Score, value: float) -> Standing:
    if not score.readable or score.low is None or score.high is None:
        return Standing.TOO_FEW
    if score.low > value:
        return Standing.ABOVE
    return Standing.BELOW if score.high < value else Standing.OPEN
