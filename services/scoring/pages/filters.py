"""The filters of the score pages; all of them are in the address, so that a view can be passed on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.scoring.domain.asking import FIRST_DAY, LAST_DAY, Span
from services.scoring.domain.periods import Step
from services.scoring.domain.windows import Window, before, span_of
from shared.contracts.model import Family

PERIODS: tuple[str, ...] = tuple(Window)
"""Windows to choose from; all of them end today."""

NothingChosen = BeforeValidator(lambda text: text or None)
"""A form sends the field of a choice that was not made, too: empty."""

DEFAULT_PERIOD = Window.DAYS_90.value


class Filters(BaseModel):
    """What the address says; dates win over the period, and no step means the one that fits."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    programme: str = Field("", max_length=200)
    family: Annotated[Family | None, NothingChosen] = None
    period: str = DEFAULT_PERIOD
    first: Annotated[date | None, NothingChosen] = Field(None, alias="from")
    last: Annotated[date | None, NothingChosen] = Field(None, alias="to")
    step: Step | Literal[""] = ""
    split: str = Field("", max_length=60)

    def span(self, today: date) -> Span:
        """The days to show."""
        if self.first or self.last:
            return Span(self.first or FIRST_DAY, self.last or LAST_DAY)
        return span_of(self.window, today)

    @property
    def window(self) -> Window:
        """The window that is named; the usual one for a name that is not known."""
        return Window(self.period) if self.period in PERIODS else Window.DAYS_90

    def before(self, today: date) -> Span | None:
        """What the days to show are compared with."""
        chosen = None if self.first or self.last else self.window
        return before(self.span(today), chosen)

    @property
    def family_key(self) -> str | None:
        """The family as cells have it."""
        return self.family.value if self.family else None

    def answers(self, **more: str | Sequence[str]) -> str:
        """The answers behind a number of this view."""
        kept: dict[str, str | Sequence[str]] = {
            "programme": self.programme,
            "period": self.period,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
        } | more
        told = {name: text for name, text in kept.items() if text}
        return f"/scores/answers?{urlencode(told, doseq=True)}"

    def compare(self, **more: str) -> str:
        """This view against the days before it, or against something else."""
        kept = {
            "family": self.family_key or "",
            "a.programme": self.programme,
            "a.period": "" if self.first or self.last else self.period,
            "a.from": self.first.isoformat() if self.first else "",
            "a.to": self.last.isoformat() if self.last else "",
            "b.programme": self.programme,
        } | more
        return f"/scores/compare?{urlencode({name: text for name, text in kept.items() if text})}"

    def address(self, **changes: str) -> str:
        """This view with something changed; what is as usual is left out."""
        kept = {
            "programme": self.programme,
            "family": self.family_key or "",
            "period": "" if self.period == DEFAULT_PERIOD else self.period,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
            "step": str(self.step),
            "split": self.split,
        } | changes
        query = urlencode({name: text for name, text in kept.items() if text})
        return f"/scores?{query}" if query else "/scores"
