"""The part of `alerts.yaml` that says what happens while nobody takes a case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from services.alerts.domain.escalation import ROOM_KINDS, EscalationPolicy, EscalationStep, Whom
from services.alerts.domain.matching import Rule
from services.alerts.domain.priority import Priority
from services.alerts.domain.spelling import Span, address, span
from shared.config.documents import Location
from shared.wrong import nearest

SOONEST, LATEST = timedelta(minutes=1), timedelta(days=14)
MOST_ROUNDS = 10
WORDS = (*Whom, *ROOM_KINDS)


def _whom(text: str) -> str:
    if text in WORDS:
        return text
    if "@" in text:
        return address(text)
    close = nearest(text, WORDS)
    meant = f"did you mean {close}?" if close else f"write {', '.join(WORDS)} or somebody's address"
    raise ValueError(f"{text!r} is nobody to tell; {meant}")


def _person(text: str) -> str:
    found = _whom(text)
    if found == Whom.ROOM or found in ROOM_KINDS:
        raise ValueError(f"{text!r} is a room, which wakes nobody; fall back on people")
    return found


def _soon_enough(text: str) -> str:
    if not SOONEST <= span(text) <= LATEST:
        raise ValueError(f"{text!r} is too short or too long; write 1m at least and {LATEST.days}d at most")
    return text


WhomText = Annotated[
    str,
    AfterValidator(_whom),
    Field(description=f"{', '.join(WORDS)}, or the address of a user"),
]
PersonText = Annotated[str, AfterValidator(_person)]


class EscalationStepRule(Rule):
    """One step: whom to tell once nobody has taken the case for so long."""

    after: Annotated[Span, AfterValidator(_soon_enough)]
    tell: tuple[WhomText, ...] = Field(min_length=1)


class EscalationRule(Rule):
    """Steps while nobody takes a case; `steps: []` wants none."""

    steps: tuple[EscalationStepRule, ...] = Field(
        description="in their order; none: nobody is told but by the promise"
    )
    repeat: int = Field(
        0, ge=0, le=MOST_ROUNDS, description="how often all steps are gone through again, after the last one"
    )
    fall_back: tuple[PersonText, ...] = Field(
        ("manager", "leadership"),
        description="who is told instead when a step reaches nobody: the first of whom there is somebody",
    )
    priority: Literal["normal", "high", "urgent"] = Field(
        "normal", description="the lowest priority of cases that it is for"
    )
    hours: Literal["working", "all"] = Field(
        "working", description="working: time counts as for the promise; all: nights and holidays count too"
    )

    @property
    def policy(self) -> EscalationPolicy:
        """As the clocks count it."""
        return EscalationPolicy(
            tuple(EscalationStep(span(step.after), step.tell) for step in self.steps),
            self.repeat,
            self.fall_back,
            Priority[self.priority.upper()],
            self.hours == "all",
        )

    @property
    def named(self) -> tuple[str, ...]:
        """Addresses of people whom it names, each once."""
        every = (*(one for step in self.steps for one in step.tell), *self.fall_back)
        return tuple(dict.fromkeys(one for one in every if "@" in one))

    def rooms(self) -> Iterator[tuple[Location, str]]:
        """The kinds of rooms that it names, with their places in it."""
        for number, step in enumerate(self.steps):
            for place, one in enumerate(step.tell):
                if one in ROOM_KINDS:
                    yield ("steps", number, "tell", place), one


def wrong(rule: EscalationRule) -> Iterator[tuple[Location, str, str]]:
    """What is wrong between the parts of a policy: where, why, what to do."""
    for number, step in enumerate(rule.steps):
        before = rule.steps[number - 1].after if number else ""
        if before and span(step.after) <= span(before):
            yield (
                ("steps", number, "after"),
                f"{step.after} is not later than {before} of the step before",
                "Every step counts from when the case began to wait: put them in order.",
            )
        for place, one in enumerate(step.tell):
            if one in step.tell[:place]:
                yield ("steps", number, "tell", place), f"{one} stands here twice", "Take one of them out."
    if rule.repeat and not rule.steps:
        yield ("repeat",), "there are no steps to repeat", "Write steps, or take `repeat` out."
