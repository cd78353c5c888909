"""The filters of the score pages; all of them are in the address, so that a view can be passed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.scoring.domain.asking import Span
from services.scoring.domain.periods import Step
from services.scoring.domain.windows import Window, before
from services.scoring.handlers import programmes
from services.scoring.handlers.days import days_of
from shared.contracts.model import Family
from shared.db.database import Connection
from shared.web.paths import encoded

PERIODS: tuple[str, ...] = tuple(Window)
"""Windows to choose from; all of them end today."""

NothingChosen = BeforeValidator(lambda text: text or None)
"""A form sends the field of a choice that was not made, too: empty."""

DEFAULT_PERIOD = Window.DAYS_90
Period = Annotated[Window, BeforeValidator(lambda text: text or DEFAULT_PERIOD)]
"""A window by its name; the usual one where none was chosen."""


async def known_programme(conn: Connection, programme: str) -> None:
    """For a page on which a programme has nothing: see to it that there is one.

    Raises:
        Problem: 404, nobody ever heard of it.
    """
    to_do = "Start from Scores, where each has its card, and check the address."
    await programmes.known_programme(conn, programme, what_to_do=to_do)


class Filters(BaseModel):
    """What the address says; dates win over the period, and no step means the one that fits."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    programme: str = Field("", max_length=200)
    family: Annotated[Family | None, NothingChosen] = None
    period: Period = DEFAULT_PERIOD
    first: Annotated[date | None, NothingChosen] = Field(None, alias="from")
    last: Annotated[date | None, NothingChosen] = Field(None, alias="to")
    step: Step | Literal[""] = ""
    split: str = Field("", max_length=100)

    def span(self, today: date) -> Span:
        """The days to show.

        Raises:
            Problem: 422, they end before they begin.
        """
        return days_of(self.first, self.last, self.period, today)

    @property
    def own_days(self) -> bool:
        """Whether days of one's own are chosen, and no period that ends today."""
        return bool(self.first or self.last)

    def before(self, today: date) -> Span | None:
        """What the days to show are compared with."""
        return before(self.span(today), None if self.own_days else self.period)

    @property
    def family_key(self) -> str | None:
        """The family as cells have it."""
        return self.family.value if self.family else None

    def answers(self, **more: str | Sequence[str]) -> str:
        """The answers behind a number of this view."""
        kept: dict[str, str | Sequence[str]] = {
            "programme": self.programme,
            "period": "" if self.own_days else self.period,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
        } | more
        return address_of("/scores/answers", kept)

    def comments(self, **more: str) -> str:
        """What people wrote on these days."""
        return address_of("/scores/comments", self._kept() | more)

    def compare(self, **more: str) -> str:
        """This view against the days before it, or against something else."""
        kept = {
            "family": self.family_key or "",
            "a.programme": self.programme,
            "a.period": "" if self.own_days else self.period,
            "a.from": self.first.isoformat() if self.first else "",
            "a.to": self.last.isoformat() if self.last else "",
            "b.programme": self.programme,
        } | more
        return address_of("/scores/compare", kept)

    def address(self, **changes: str) -> str:
        """This view with something changed; what is as usual is left out."""
        return address_of("/scores", self._all() | changes)

    def others_than(self, *names: str) -> list[tuple[str, str]]:
        """All filters of this view but some, for the form in which those are chosen."""
        return [(name, text) for name, text in self._all().items() if text and name not in names]

    def _all(self) -> dict[str, str]:
        return self._kept() | {"step": str(self.step), "split": self.split}

    def _kept(self) -> dict[str, str]:
        """What pages with the same filters have in common; what is as usual is left out."""
        return {
            "programme": self.programme,
            "family": self.family_key or "",
            "period": "" if self.own_days or self.period == DEFAULT_PERIOD else self.period,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
        }


def address_of(path: str, parameters: Mapping[str, str | Sequence[str]]) -> str:
    """A page with those of its parameters that say something."""
    told = {name: text for name, text in parameters.items() if text}
    return f"{path}?{encoded(told)}" if told else path
