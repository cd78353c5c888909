"""Playbooks: what to do in a case, step by step, offers that keep a customer among them (R91)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from services.alerts.domain.matching import ANYTHING, Key, Match, Rule
from shared.contracts.model import Snapshot, Tier


class Offer(StrEnum):
    """What may keep a customer."""

    DISCOUNT = "discount"
    LOYALTY = "loyalty"
    SUCCESS = "success"


class StepState(StrEnum):
    """How far a step is; an offer is taken or refused, anything else is done."""

    OPEN = "open"
    DONE = "done"
    TAKEN = "taken"
    REFUSED = "refused"


class StepRule(Rule):
    """One step."""

    id: Key = Field(description="stable name; what is checked off is kept under it")
    text: str = Field(min_length=1, max_length=160, description="what to do")
    offer: Offer | None = Field(None, description="what the customer is offered: they take it or refuse it")
    when: Match = Field(default_factory=Match, description="in which cases; left out: in all")


class PlaybookRule(Rule):
    """The steps of a playbook, in their order."""

    steps: tuple[StepRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        ids = [step.id for step in self.steps]
        if len(set(ids)) < len(ids):
            raise ValueError("two steps have the same id")
        return self


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    """A step of a case; `key` is unique in it."""

    key: str
    text: str
    offer: Offer | None = None

    @property
    def states(self) -> frozenset[StepState]:
        """What it can be."""
        ends = {StepState.TAKEN, StepState.REFUSED} if self.offer else {StepState.DONE}
        return frozenset({StepState.OPEN, *ends})


def _step(key: str, text: str, offer: Offer | None = None, when: Match = ANYTHING) -> StepRule:
    return StepRule(id=key, text=text, offer=offer, when=when)


_LARGE = Match(tier=(Tier.KEY, Tier.PREMIUM))
_UNDERSTAND = _step("understand", "Ask what happened, and what would put it right")
_DISCOUNT = _step("discount", "Offer a personal discount on the next term", Offer.DISCOUNT)
_LOYALTY = _step("loyalty", "Offer a place in the loyalty programme", Offer.LOYALTY)
_SUCCESS = _step("success", "Offer a named person who looks after them for three months", Offer.SUCCESS)
_EXECUTIVE = _step("executive", "Bring one of our executives to the next call", when=_LARGE)
_CAUSE = _step("cause", "Tell them what caused it, and what is changed so that it does not come back")
_SESSION = _step("session", "Show them live how it works, on their own data")


def _playbook(*steps: StepRule) -> PlaybookRule:
    return PlaybookRule(steps=steps)


_KEEP = _playbook(_UNDERSTAND, _EXECUTIVE, _SUCCESS, _DISCOUNT, _LOYALTY)
_HELP = _playbook(_UNDERSTAND, _SESSION, _SUCCESS)
_MEND = _playbook(_UNDERSTAND, _CAUSE, _LOYALTY)
BUILT_IN: Mapping[str, PlaybookRule] = {
    **dict.fromkeys(("renewal-rescue", "relationship-rescue"), _KEEP),
    **dict.fromkeys(("onboarding-help", "adoption-help", "product-help", "tracking-help"), _HELP),
    **dict.fromkeys(("support-recovery", "service-recovery", "project-recovery", "product-feedback"), _MEND),
    **dict.fromkeys(("delivery-recovery", "purchase-recovery", "claim-recovery"), _MEND),
}
"""The playbooks that the presets name."""


def steps_of(
    playbooks: Iterable[str],
    case: Snapshot,
    rules: Mapping[str, PlaybookRule],
    themes: Collection[str] = (),
) -> tuple[PlaybookStep, ...]:
    """The steps of a case: of each playbook that its answers name those that fit it, each step once.

    Args:
        playbooks: names of playbooks.
        case: what it is about.
        rules: the playbooks of `alerts.yaml`.
        themes: what its voices speak about.
    """
    found: dict[str, PlaybookStep] = {}
    for name in dict.fromkeys(playbooks):
        rule = rules.get(name) or BUILT_IN.get(name)
        for step in rule.steps if rule else ():
            if step.when.fits(case, themes):
                found.setdefault(step.id, PlaybookStep(step.id, step.text, step.offer))
    return tuple(found.values())
