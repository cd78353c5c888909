"""What a batch plans with: the plans it may touch, the programmes, and what time it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import field
from msgspec.structs import force_setattr

from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.model import Contact, Organisation, Plan
from services.trigger.domain.programme import Edition
from shared.values import Value

Tally = tuple[str, str]
"""A programme and a subject of which it counts the touchpoints."""


@dataclasses.dataclass(slots=True)
class Book:
    """The plans that a batch may touch, by identity; changed ones are collected for the store.

    `tallies`: how many touchpoints of a subject a programme with `nth` has seen. `at`: what is found faster
    than by looking through all plans, those of an account that wait or were asked and are still open.
    """

    plans: dict[UUID, Plan] = dataclasses.field(default_factory=dict)
    changed: dict[UUID, Plan] = dataclasses.field(default_factory=dict)
    tallies: dict[Tally, int] = dataclasses.field(default_factory=dict)
    at: Callable[[UUID], Iterable[Plan]] | None = dataclasses.field(default=None, repr=False)
    _about: dict[tuple[str, str], list[UUID]] = dataclasses.field(
        init=False, repr=False, default_factory=dict
    )

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
        plan_id, plans = plan.id, self.plans
        if plan_id not in plans:
            about = (plan.programme, plan.subject)
            ids = self._about.get(about)
            if ids is None:
                self._about[about] = [plan_id]
            else:
                ids.append(plan_id)
        plans[plan_id] = plan

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
        ids = self._about.get((edition.key, subject))
        if ids is None:
            return []
        shadow = edition.shadow
        about = [self.plans[plan_id] for plan_id in ids]
        found = [plan for plan in about if plan.shadow is shadow]
        if len(found) > 1:
            found.sort(key=lambda plan: (plan.occurrence, str(plan.id)))
        return found

    def of_account(self, edition: Edition, account_id: UUID) -> list[Plan]:
        """Plans of a programme at an account that wait, or of which a survey is open, whatever about."""
        known = self.at(account_id) if self.at else self.plans.values()
        return [
            plan
            for plan in known
            if plan.account_id == account_id
            and plan.programme == edition.key
            and plan.shadow is edition.shadow
        ]


class World(Value, frozen=True):
    """What planning looks at besides the event; the catalogue is that of the editions.

    `asked`: when people were last asked about anything, known where a programme lets them take turns.
    """

    editions: Sequence[Edition]
    organisation: Organisation
    now: datetime
    contacts: Mapping[UUID, Contact] = {}
    catalogue: Catalogue = field(default_factory=Catalogue)
    asked: Mapping[UUID, datetime] = {}

    def __post_init__(self) -> None:
        """Find programmes by event from here on, unless somebody looked already."""
        if self.editions and not self.catalogue.editions:
            force_setattr(self, "catalogue", Catalogue.of(self.editions))
