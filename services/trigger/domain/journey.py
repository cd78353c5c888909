"""The journey map: the touchpoints of all programmes in the order of a customer's life (R87)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.trigger.domain.groups import Goal, Group
from services.trigger.domain.programme import Edition, Programme, Who

STAGES = (
    "purchase", "onboarding", "adoption", "use", "delivery", "support", "service", "project", "relationship",
    "renewal",
)  # fmt: skip
"""Stages in their order; others follow, in alphabetical order."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One programme on the map, in words."""

    key: str
    title: Mapping[str, str]
    purpose: Mapping[str, str]
    moment: str
    asks: str
    whom: str
    state: str
    group: str
    objective: str
    goal: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the customer's life with what is asked in it."""

    name: str
    stops: tuple[Stop, ...]


def journey(editions: Iterable[Edition], groups: Mapping[str, Group]) -> tuple[Stage, ...]:
    """The map of some programmes."""
    stages: dict[str, list[Stop]] = {}
    for edition in editions:
        rules = edition.programme
        stages.setdefault(rules.stage, []).append(_stop(edition, groups.get(rules.group)))
    return tuple(
        Stage(name, tuple(sorted(stages[name], key=lambda stop: (stop.moment, stop.key))))
        for name in sorted(stages, key=_place)
    )


def moment_in_words(rules: Programme) -> str:
    """When a programme asks."""
    when = rules.when
    if when.by_hand:
        return "when somebody asks for it"
    if when.before:
        return f"{when.by.text} before {when.before}"
    if when.recurring:
        end = f" until {' or '.join(when.until)}" if when.until else ""
        return f"every {when.every.text} from {when.anchor}{end}"
    count = f"number {when.nth} of " if when.nth > 1 else ""
    delay = f"{when.delay.text} after " if when.delay.rough else "at once after "
    return f"{delay}{count}{' or '.join(when.touchpoint)}"


def audience_in_words(rules: Programme) -> str:
    """Whom a programme asks."""
    audience = rules.audience
    whose = "people in the event" if audience.who is Who.EVENT else f"people of the {audience.who}"
    parts = [
        *(", ".join(names) for names in (audience.persona, audience.role, audience.job_function) if names),
        *(f"{', '.join(audience.tier)} accounts" for _ in audience.tier[:1]),
        *(f"at most {most} per account" for most in (audience.max_per_account,) if most),
        *(f"at least {number} {persona}" for persona, number in audience.coverage.items()),
        *(f"{audience.sample:.0%} of them" for _ in (1,) if audience.sample < 1),
    ]
    return "; ".join([whose, *parts]).replace("_", " ")


def goal_in_words(goal: Goal) -> str:
    """How much of what is to change by when."""
    return f"{goal.metric} {goal.change} by {goal.by}"


def _stop(edition: Edition, group: Group | None) -> Stop:
    rules = edition.programme
    goal = group.goal if group else None
    return Stop(
        key=rules.key,
        title=rules.title,
        purpose=rules.purpose,
        moment=moment_in_words(rules),
        asks=rules.core.type.value.upper().replace("_", " or "),
        whom=audience_in_words(rules),
        state=edition.state.value,
        group=rules.group,
        objective=group.objective.value if group else "",
        goal=goal_in_words(goal) if goal else "",
    )


def _place(stage: str) -> tuple[int, str]:
    return (STAGES.index(stage) if stage in STAGES else len(STAGES), stage)
