"""Improvement actions: what the company changes, by when, whose it is, and what comes first (R76).

Priority is impact divided by effort, each from 1 to 5: much for little goes first. Nothing is without owner
and deadline; what is late stands above everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from unicodedata import category
from uuid import UUID

from services.alerts.domain.effect import Figures
from services.alerts.domain.model import Refused
from shared.contracts.improvements import ImprovementChanged, Stage

MOST = 5
"""Impact and effort are 1 to this."""
LONGEST_TITLE = 120
LONGEST_NAME = 80
LONGEST_WORDS = 500
"""Of what customers are told, in each language."""


BEFORE_SHIPPING = frozenset({Stage.PROPOSED, Stage.PLANNED, Stage.UNDER_WAY})
SHIPPED = frozenset({Stage.SHIPPED, Stage.MEASURED})
FOLLOWS: Mapping[Stage, frozenset[Stage]] = {
    Stage.PROPOSED: frozenset({Stage.PLANNED, Stage.UNDER_WAY, Stage.SHIPPED, Stage.DROPPED}),
    Stage.PLANNED: frozenset({Stage.PROPOSED, Stage.UNDER_WAY, Stage.SHIPPED, Stage.DROPPED}),
    Stage.UNDER_WAY: frozenset({Stage.PLANNED, Stage.SHIPPED, Stage.DROPPED}),
    Stage.SHIPPED: frozenset({Stage.UNDER_WAY, Stage.MEASURED}),
    Stage.MEASURED: frozenset(),
    Stage.DROPPED: frozenset({Stage.PROPOSED}),
}
"""Where each stage may lead; what was shipped too early goes back, what was measured is over."""


class Did(StrEnum):
    """What a line of an improvement's history says."""

    OPENED = "opened"
    EDITED = "edited"
    MOVED = "moved"
    LINKED = "linked"
    UNLINKED = "unlinked"
    HEARD = "heard"
    UNHEARD = "unheard"
    NOTED = "noted"
    TOLD = "told"
    INVITED = "invited"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in the company's own words and without names of customers.

    Attributes:
        theme: what it is about: a cause of cases, a theme of comments, or anything else.
        programme: whose score it is to raise; "" where none can tell.
        product: only answers about this product count for the score; "" for all.
        impact: 1 (hardly anybody notices) to 5 (many, or the largest, are unhappy without it).
        effort: 1 (a day) to 5 (a quarter or more).
        due_on: the day by which it is shipped, where the organisation is.
    """

    title: str
    impact: int
    effort: int
    owner: UUID
    due_on: date
    theme: str = ""
    programme: str = ""
    product: str = ""

    @property
    def priority(self) -> float:
        """Impact for the effort: 0.2 to 5."""
        return self.impact / self.effort


@dataclass(frozen=True, slots=True)
class Improvement:
    """An improvement action; `version` rises with every change.

    `figures`: what it has changed, counted for good; None until the 90 days after shipping are over.
    """

    id: UUID
    plan: Plan
    stage: Stage
    version: int
    opened_by: UUID
    opened_at: datetime
    shipped_at: datetime | None = None
    ended_at: datetime | None = None
    figures: Figures | None = None

    @property
    def waits(self) -> bool:
        """Whether it is still to be shipped."""
        return self.stage in BEFORE_SHIPPING

    def late(self, today: date) -> bool:
        """Whether its deadline is over and it is not shipped."""
        return self.waits and self.plan.due_on < today


@dataclass(frozen=True, slots=True)
class Line:
    """One line of its history; `by` is a user."""

    did: Did
    at: datetime
    by: UUID
    data: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """An improvement as it is afterwards; without a line nothing has changed."""

    improvement: Improvement
    line: Line | None = None


def open_(improvement_id: UUID, plan: Plan, by: UUID, now: datetime) -> Change | Refused:
    """A new proposal."""
    checked = sound(plan)
    if isinstance(checked, Refused):
        return checked
    return Change(Improvement(improvement_id, checked, Stage.PROPOSED, 1, by, now), Line(Did.OPENED, now, by))


def edit(one: Improvement, plan: Plan, by: UUID, now: datetime) -> Change | Refused:
    """Other words, another owner, deadline or weight; what has ended stays as it was."""
    checked = sound(plan)
    if isinstance(checked, Refused):
        return checked
    if checked == one.plan:
        return Change(one)
    if one.ended_at is not None:
        return Refused("This improvement has ended.")
    if one.figures is not None and _measured_by(checked) != _measured_by(one.plan):
        return Refused("Its effect has been counted: theme, programme and product stay as they are.")
    changed = [name for name in _FIELDS if getattr(checked, name) != getattr(one.plan, name)]
    data = {"fields": ", ".join(changed)}
    if "due_on" in changed:
        data |= {"from": one.plan.due_on.isoformat(), "until": checked.due_on.isoformat()}
    return Change(replace(one, plan=checked, version=one.version + 1), Line(Did.EDITED, now, by, data))


def move(
    one: Improvement, to: Stage, by: UUID, now: datetime, note: str, *, known: bool = False
) -> Change | Refused:
    """It has come further, or back.

    Args:
        one: the improvement.
        to: its next stage; the one it is in changes nothing.
        by: who says so.
        now: business time.
        note: why it is dropped; what was learned, once it is measured.
        known: whether something can be said of its effect, or never will be.
    """
    if to is one.stage:
        return Change(one)
    if to not in FOLLOWS[one.stage]:
        return Refused(f"From {said(one.stage)} it does not go to {said(to)}.")
    if to is Stage.DROPPED and not note.strip():
        return Refused("Say why it is dropped, for whoever proposes it again.")
    if to is Stage.MEASURED and not (known and note.strip()):
        return Refused(_UNKNOWN if not known else "Say in a sentence what it has changed.")
    after = replace(
        one,
        stage=to,
        version=one.version + 1,
        shipped_at=(one.shipped_at or now) if to in SHIPPED else None,
        ended_at=now if to in {Stage.MEASURED, Stage.DROPPED} else None,
        figures=one.figures if to in SHIPPED else None,
    )
    return Change(after, Line(Did.MOVED, now, by, {"from": one.stage.value, "to": to.value}, note.strip()))


def write(one: Improvement, line: Line) -> Change:
    """Something else that belongs into its history."""
    return Change(replace(one, version=one.version + 1), line)


def counted(one: Improvement, figures: Figures) -> Improvement:
    """With what it has changed, for good."""
    return replace(one, figures=figures, version=one.version + 1)


def event_of(one: Improvement, at: datetime) -> ImprovementChanged:
    """An event that says how it stands."""
    plan, figures = one.plan, one.figures
    return ImprovementChanged(
        improvement_id=str(one.id),
        version=one.version,
        stage=one.stage,
        title=plan.title,
        theme=plan.theme,
        programme=plan.programme,
        product=plan.product,
        impact=plan.impact,
        effort=plan.effort,
        owner=str(plan.owner),
        due_on=plan.due_on,
        opened_at=one.opened_at,
        shipped_at=one.shipped_at,
        ended_at=one.ended_at,
        effects=tuple(effect.told for effect in figures.effects) if figures else (),
        counted_at=figures.at if figures else None,
        at=at,
    )


def sound(plan: Plan) -> Plan | Refused:
    """The plan with its texts tidied up, or why it cannot be one."""
    title, theme, programme, product = (
        " ".join(text.split()) for text in (plan.title, plan.theme, plan.programme, plan.product)
    )
    if not 0 < len(title) <= LONGEST_TITLE:
        return Refused(f"Say in 1 to {LONGEST_TITLE} characters what is to be improved.")
    if max(map(len, (theme, programme, product))) > LONGEST_NAME:
        return Refused(f"Theme, programme and product have {LONGEST_NAME} characters at most.")
    if not (1 <= plan.impact <= MOST and 1 <= plan.effort <= MOST):
        return Refused(f"Impact and effort are 1 to {MOST}.")
    return replace(plan, title=title, theme=theme, programme=programme, product=product)


def sendable(words: Mapping[str, str]) -> Mapping[str, str] | Refused:
    """What customers are told, by language, each as one paragraph; or why it cannot be sent."""
    tidy = {language.lower(): " ".join(text.split()) for language, text in words.items()}
    for text in tidy.values():
        if len(text) > LONGEST_WORDS:
            return Refused(f"Tell customers in {LONGEST_WORDS} characters at most.")
        if "=?" in text or any(category(c) in {"Cc", "Cs"} for c in text):
            return Refused("What customers are told holds a character that no mail can carry.")
    return {language: text for language, text in tidy.items() if text}


def road_map(found: list[Improvement], today: date) -> list[Improvement]:
    """What waits: what is late first, the longest first; then by priority, impact, deadline."""

    def place(one: Improvement) -> tuple[bool, date, float, int, date, str]:
        late = one.late(today)
        due = one.plan.due_on
        return (not late, due if late else today, -one.plan.priority, -one.plan.impact, due, str(one.id))

    return sorted((one for one in found if one.waits), key=place)


def _measured_by(plan: Plan) -> tuple[str, str, str]:
    return plan.theme, plan.programme, plan.product


def said(stage: Stage) -> str:
    """A stage in words."""
    return stage.value.replace("_", " ")


_FIELDS = ("title", "theme", "programme", "product", "impact", "effort", "owner", "due_on")
_UNKNOWN = "Nothing can be said of its effect yet: wait for more answers, or for the 90 days to be over."
