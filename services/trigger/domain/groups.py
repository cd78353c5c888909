"""Groups of programmes: one objective, some others beside it, and a goal with a date (R85, R86)."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from services.trigger.domain.parts import Key, Rules, SpanText, Texts


class Objective(StrEnum):
    """What a group of programmes is for."""

    PERCEPTION = "perception"
    EXPERIENCE = "experience"
    CHURN = "churn"
    UPSELL = "upsell"
    REFERRAL = "referral"


def _change(text: str) -> str:
    if not re.fullmatch(r"[+-]\d{1,4}(\.\d+)?%?", text):
        raise ValueError(f"{text!r} is no change; write for example -30% or +5")
    return text


class Aimed(StrEnum):
    """What a goal can be about, as scoring measures it: a score, or what happens to contracts."""

    NPS = "nps"
    NPS5 = "nps5"
    CSAT = "csat"
    CES = "ces"
    CANCELLATIONS = "cancellations"
    CHURN = "churn"
    RENEWALS = "renewals"


class Goal(Rules):
    """A SMART goal: how much a metric is to change against its value over the baseline, and by when."""

    metric: Aimed
    change: Annotated[str, AfterValidator(_change)]
    baseline: SpanText
    by: date


class Group(Rules):
    """Several programmes under one objective."""

    title: Texts
    objective: Objective
    secondary: tuple[Objective, ...] = ()
    goal: Goal | None = None

    @model_validator(mode="after")
    def _one_primary(self) -> Group:
        if self.objective in self.secondary:
            raise ValueError(f"secondary: {self.objective} is the primary objective already")
        return self


class Groups(Rules):
    """The file `groups.yaml`."""

    groups: dict[Key, Group] = Field(min_length=1)
