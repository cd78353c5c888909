"""What a backtest says: the shape of its JSON, of which terminal and page show parts.

Its JSON Schema is `schemas/backtest.schema.json`.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.forms import QuestionType
from shared.contracts.model import Family
from shared.contracts.reasons import Reason


class Told(BaseModel):
    """Base of all parts of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Assumptions(Told):
    """What a history does not tell and somebody has to assume."""

    response_rate: float = Field(default=0.25, gt=0, le=1, description="Share of invitations answered.")
    unhappy: float = Field(default=0.15, ge=0, le=1, description="Share of answers that are unhappy.")
    happy: float = Field(default=0.55, ge=0, le=1, description="Share of answers in the best group.")
    capacity: float = Field(default=10, gt=0, description="Tickets that the rota takes on a day.")
    zone: str = Field(default="UTC", description="In whose days invitations and tickets are counted.")


class Broken(Told):
    """A line that could not be used."""

    line: int
    field: str
    reason: str


class Source(Told):
    """The history that was gone through."""

    file: str
    begins: datetime = Field(description="When its first event happened.")
    ends: datetime = Field(description="When its last event happened.")
    counted_from: datetime = Field(description="Decisions before this are not counted.")
    counted_to: datetime
    in_order: bool = Field(description="Whether its lines stand in order of time.")
    events: int
    repeated: int = Field(description="Events that were there before under the same source and id.")
    passed_over: int = Field(description="Records of other topics, and tombstones.")
    broken: int = Field(description="Lines that could not be used.")
    contacts: int
    accounts: int
    sealed: int = Field(description="People whose address is sealed; they are taken to be reachable.")


class ReasonCount(Told):
    """How often a rule had its say."""

    reason: Reason
    words: str
    waited: int = Field(description="Questions that had to wait for it at least once.")
    not_asked: int = Field(description="Planned questions that were never put because of it.")
    not_planned: int = Field(description="Events and people that were left out at once because of it.")


class ProgrammeFigures(Told):
    """One programme."""

    key: str
    title: str
    family: Family
    asks: QuestionType
    shadow: bool
    planned: int = Field(description="Invited, never asked and still waiting together.")
    invited: int = Field(description="In shadow: who would have been invited.")
    reminders: int = Field(description="As many as go out when nobody answers.")
    waited: int = Field(description="Waits counted once a question and reason.")
    not_asked: int
    still_waiting: int = Field(description="Planned and not yet decided at the end.")
    reasons: tuple[ReasonCount, ...]

    @property
    def mostly(self) -> ReasonCount | None:
        """What kept most from being asked; where nothing was planned, what most were left out for."""
        if self.not_asked:
            return self.reasons[0]
        left_out = [one for one in self.reasons if one.not_planned] if not self.planned else []
        return max(left_out, key=lambda one: one.not_planned, default=None)


class Day(Told):
    """One day."""

    day: date
    invitations: int
    reminders: int
    tickets: float = Field(description="Expected tickets from the invitations of this day.")
    programmes: dict[str, int] = Field(description="Invitations by programme.")


class Bucket(Told):
    """How many people, or accounts, were invited so often."""

    invitations: str
    count: int


class Heaviest(Told):
    """One of those who were asked most."""

    name: str = Field(description="The backend's id, else the address without its local part.")
    account: str
    invitations: int
    within_30_days: int = Field(description="Most of them within any thirty days.")


class Load(Told):
    """How much is asked of people, or of accounts."""

    known: int
    asked: int
    most: int
    mean: float = Field(description="Invitations by those who were asked at all.")
    distribution: tuple[Bucket, ...]
    heaviest: tuple[Heaviest, ...]


class Tickets(Told):
    """Expected detractor tickets against what the rota takes."""

    expected: float
    busiest_day: date | None
    on_busiest_day: float
    days: int
    days_over_capacity: int


class Cut(StrEnum):
    """By what scores are cut into segments."""

    TIER = "tier"
    PERSONA = "persona"
    OWNER = "owner"
    REGION = "region"


class Precision(Told):
    """How exact a score would be after the counted time."""

    programme: str
    cut: Cut | None = Field(description="None: the whole programme.")
    value: str = Field(description='Of the cut, as "premium"; "" for the whole programme.')
    metric: QuestionType
    invitations: int
    answers: int = Field(description="Expected answers.")
    low: float | None = Field(description="Lower end of the 95 % interval; None with no answer.")
    high: float | None
    margin: float | None = Field(description="Half of its width, in points.")


class Outcome(Told):
    """What one set of programmes would have done; its sums leave out programmes in shadow."""

    name: str
    invited: int
    reminders: int
    planned: int
    not_asked: int
    still_waiting: int
    unmatched: int = Field(description="Events that concern no programme.")
    programmes: tuple[ProgrammeFigures, ...]
    reasons: tuple[ReasonCount, ...]
    days: tuple[Day, ...]
    people: Load
    accounts: Load
    tickets: Tickets
    precision: tuple[Precision, ...]


class Difference(Told):
    """One number in both sets."""

    what: str
    programme: str = Field(description='"" for a number of the whole set.')
    here: float
    there: float
    change: float = Field(description="Here less there.")


class BacktestReport(Told):
    """A backtest of one set of programmes, or of two."""

    format: Literal[1] = 1
    assumptions: Assumptions
    source: Source
    problems: tuple[Broken, ...] = Field(description="The first hundred of them.")
    sets: tuple[Outcome, ...] = Field(min_length=1, max_length=2)
    differences: tuple[Difference, ...]
    unknown: tuple[str, ...] = Field(description="What no history can tell.")
