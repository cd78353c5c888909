"""What a batch plans with: the plans it may touch, the programmes, and what time it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.model import Contact, Organisation, Plan
from services.trigger.domain.programme import Edition

Tally = tuple[str, str]
"""A programme and a subject of which it counts the touchpoints."""


@dataclass(slots=True)
class Book:
    """The plans that a batch may touch, by identity; changed ones are collected for the store.

    `tallies`: how many touchpoints of a subject a programme with `nth` has seen.
    """

    plans: dict[UUID, Plan] = field(default_factory=dict)
    changed: dict[UUID, Plan] = field(default_factory=dict)
    tallies: dict[Tally, int] = field(default_factory=dict)
    _about: dict[tuple[str, str], list[UUID]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Find plans by programme and subject from here on."""
        for plan in self.plans.values():
            self._about.setdefault((plan.programme, plan.subject), []).append(plan.id)

    def put(self, plan: Plan) -> None:
        """Take a new or changed plan."""
        self.keep(plan)
        self.changed[plan.id] = plan

    def keep(self, plan: Plan) -> None:
        """Know a plan as it is now, without a change to be stored."""
        if plan.id not in self.plans:
            self._about.setdefault((plan.programme, plan.subject), []).append(plan.id)
        self.plans[plan.id] = plan

    def move(self, plan: Plan) -> None:
        """Take a plan whose person, and perhaps subject, became another."""
        known = self.plans[plan.id]
        self._about[known.programme, known.subject].remove(plan.id)
        self._about.setdefault((plan.programme, plan.subject), []).append(plan.id)
        self.put(plan)

    def of(self, edition: Edition, subject: str) -> list[Plan]:
        """All plans of a programme about a subject, oldest occurrence first.

        To a programme that runs, what was only planned in shadow never was; and the other way round.
        """
        about = (self.plans[plan_id] for plan_id in self._about.get((edition.key, subject), ()))
        found = [plan for plan in about if plan.shadow is edition.shadow]
        if len(found) > 1:
            found.sort(key=lambda plan: (plan.occurrence, str(plan.id)))
        return found


@dataclass(frozen=True, slots=True)
class World:
    """What planning looks at besides the event; the catalogue is that of the editions.

    `asked`: when people were last asked about anything, known where a programme lets them take turns.
    """

    editions: Sequence[Edition]
    organisation: Organisation
    now: datetime
    contacts: Mapping[UUID, Contact] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=Catalogue)
    asked: Mapping[UUID, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find programmes by event from here on, unless somebody looked already."""
        if self.editions and not self.catalogue.editions:
            object.__setattr__(self, "catalogue", Catalogue.of(self.editions))
