"""Scores as a CRM holds them: which figures stand on a contact and on an account, and what has changed.

A contact has its last answer of each metric; an account its scores of a year by metric and family, and its
health. A figure that is not known is None there, which clears the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID

from services.scoring.domain.change import Change, Verdict
from services.scoring.domain.histogram import Metric
from shared.contracts.model import Family
from shared.partners.retry import wait_after

Value = str | int | float | None
"""A figure as JSON has it; a date as YYYY-MM-DD."""

Figures = Mapping[str, Value]

HEALTH_MOVED = 5
"""A health score that is so many points away from that of HEALTH_BEFORE went up or down."""
HEALTH_BEFORE = timedelta(days=90)

_FIRST, _MOST = timedelta(seconds=5), timedelta(minutes=10)
_REFUSED_FIRST, _REFUSED_MOST = timedelta(hours=1), timedelta(days=1)


class Kind(StrEnum):
    """What a record is about."""

    CONTACT = "contact"
    ACCOUNT = "account"


class Trend(StrEnum):
    """Where a figure went since the one before it."""

    UP = "up"
    DOWN = "down"
    SAME = "same"


class Shape(StrEnum):
    """What a field of a figure holds."""

    NUMBER = "number"
    DATE = "date"
    TREND = "trend"


def shape_of(figure: str) -> Shape:
    """What the field of a figure holds."""
    if figure.endswith("_date"):
        return Shape.DATE
    return Shape.TREND if figure.endswith("_trend") else Shape.NUMBER


_PARTS = ("", "_n", "_low", "_high", "_date", "_trend")
CONTACT_FIGURES = tuple(f"{metric}{part}" for metric in Metric for part in ("", "_date", "_trend"))
ACCOUNT_FIGURES = (
    "health",
    "health_trend",
    *(f"{metric}_{family}{part}" for metric in Metric for family in Family for part in _PARTS),
)
FIGURES: Mapping[Kind, tuple[str, ...]] = {Kind.CONTACT: CONTACT_FIGURES, Kind.ACCOUNT: ACCOUNT_FIGURES}


class Said(NamedTuple):
    """One answer of a contact to one metric."""

    metric: Metric
    family: str
    value: int
    day: date


def contact_figures(newest_first: Iterable[Said]) -> Figures:
    """The last answer of each metric, its day, and where it went.

    The trend is against the answer before it of the same family: what somebody thinks of a whole relation
    and what they think of one event are not set against each other (R6).
    """
    found: dict[str, Value] = dict.fromkeys(CONTACT_FIGURES)
    last: dict[Metric, Said] = {}
    for said in newest_first:
        known = last.setdefault(said.metric, said)
        if known is said:
            found[said.metric.value] = said.value
            found[f"{said.metric}_date"] = said.day.isoformat()
        elif known.family == said.family and found[f"{said.metric}_trend"] is None:
            found[f"{said.metric}_trend"] = _went(known.value - said.value)
    return found


class Scores(NamedTuple):
    """What an account's people said to one metric of one family: this year against the year before."""

    metric: Metric
    family: str
    change: Change
    last_day: date


def account_figures(scores: Iterable[Scores], health: int | None, health_before: int | None) -> Figures:
    """Scores with their answers and intervals, and health.

    With fewer answers than a person is shown a score for, the number of answers stands alone.
    """
    found: dict[str, Value] = dict.fromkeys(ACCOUNT_FIGURES)
    found["health"] = health
    if health is not None and health_before is not None:
        moved = health - health_before
        found["health_trend"] = _went(moved if abs(moved) >= HEALTH_MOVED else 0)
    for one in scores:
        now, name = one.change.after, f"{one.metric}_{one.family}"
        if not now.n:
            continue
        found[f"{name}_n"] = now.n
        found[f"{name}_date"] = one.last_day.isoformat()
        if now.readable:
            found |= {name: _rounded(now.value), f"{name}_low": _rounded(now.low)}
            found[f"{name}_high"] = _rounded(now.high)
            found[f"{name}_trend"] = _TRENDS.get(one.change.verdict)
    return found


_TRENDS = {
    Verdict.BETTER: Trend.UP.value,
    Verdict.WORSE: Trend.DOWN.value,
    Verdict.NO_DETECTABLE_CHANGE: Trend.SAME.value,
}


def _went(moved: int) -> str:
    return (Trend.UP if moved > 0 else Trend.DOWN if moved < 0 else Trend.SAME).value


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1) + 0.0


def changed(written: Figures, wanted: Figures) -> Figures:
    """The figures that are to be written: those that the record does not hold yet."""
    return {figure: value for figure, value in wanted.items() if written.get(figure) != value}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom or what a record is to be found for.

    Attributes:
        external_id: as a backend names it; `hubspot:` or `salesforce:` with an id names the record itself.
        name: of an account.
        email: of a contact, in clear: it is held no longer than it is looked for.
    """

    id: UUID
    external_id: str = ""
    name: str = ""
    email: str = ""

    def own_id(self, partner: str) -> str:
        """The partner's own id of the record, where a backend said so; "" else."""
        prefix, _, own = self.external_id.partition(":")
        return own.strip() if prefix == partner else ""


@dataclass(frozen=True, slots=True)
class Update:
    """Figures for a record that is known."""

    id: UUID
    record: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Found:
    """The partner's own id of a record."""

    record: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Figures that the record holds now; those that the partner has no field for are not among them."""

    figures: frozenset[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not; `gone` where the record is no longer there."""

    reason: str
    gone: bool = False


class Crm(Protocol):
    """A CRM or a platform for customer success that scores are written to.

    What is asked for together fails together, as SendError: refused for good (credentials, rights), or failed
    and may be tried again. What concerns one record alone is in the answer.
    """

    name: str
    kinds: frozenset[Kind]
    at_once: int
    """Most records of one request."""

    async def find(self, kind: Kind, subjects: Sequence[Subject]) -> Mapping[UUID, Found | Refused]:
        """Find records by what is known of whom they are about; of several that fit none is guessed."""
        ...

    async def write(self, kind: Kind, updates: Sequence[Update]) -> Mapping[UUID, Taken | Refused]:
        """Write figures; to write the same again changes nothing."""
        ...


UNKNOWN = Refused("there is no such record")
SEVERAL = Refused("several records fit, and none is guessed")
NO_ADDRESS = Refused("no e-mail address of the contact is known")
NO_NAME = Refused("nothing is known by which to find the account")
GONE = Refused("the record is no longer there", gone=True)
NO_FIELDS = Refused("none of the fields is there; see docs/crm.md")


def one_of(records: Sequence[str]) -> Found | Refused:
    """What came of looking for a record."""
    return Found(records[0]) if len(records) == 1 else SEVERAL if records else UNKNOWN


def held_for(attempts: int, *, permanent: bool, wish: timedelta | None) -> timedelta:
    """How long a partner is left alone after it failed so many times in a row.

    One that refuses us (credentials, rights) is asked again every hour: somebody may have mended it.
    """
    if permanent:
        return _REFUSED_FIRST
    return wait_after(attempts, first=_FIRST, most=_MOST, wish=wish)


def again_after(attempts: int) -> timedelta:
    """When a record that was refused so many times is tried again: somebody may have made it."""
    return wait_after(attempts, first=_REFUSED_FIRST, most=_REFUSED_MOST)
