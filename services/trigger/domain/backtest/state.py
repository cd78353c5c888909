"""What a simulation knows at a moment, and what its parts do to it alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.trigger.domain.backtest.diary import Diary
from services.trigger.domain.backtest.parties import Parties
from services.trigger.domain.backtest.people import People
from services.trigger.domain.book import World
from services.trigger.domain.catalogue import Catalogue
from services.trigger.domain.decisions import of_recall
from services.trigger.domain.facts import Facts
from services.trigger.domain.model import Decision, Organisation, Plan
from services.trigger.domain.programme import Edition
from shared.contracts.reasons import Reason

Note = Callable[[datetime, Decision], None]
"""Is told every decision with its time."""


@dataclass(slots=True)
class State:
    """Programmes, directory, plans and asks of a simulation; `facts.now` is its time.

    `series`: keys of programmes that are asked again and again. `reach`: a length that no quarantine of a
    person exceeds. `last_asked`: when people were last asked.
    """

    editions: Mapping[str, Edition]
    catalogue: Catalogue
    organisation: Organisation
    people: People
    parties: Parties
    facts: Facts
    note: Note
    series: frozenset[str]
    reach: timedelta
    diary: Diary = field(default_factory=Diary)
    last_asked: dict[UUID, datetime] = field(default_factory=dict)

    def edition_of(self, plan: Plan) -> Edition:
        """The edition that a plan was made with."""
        return self.editions[plan.programme]

    def world(self) -> World:
        """What planning looks at."""
        now, people = self.facts.now, self.people.contacts
        return World((), self.organisation, now, people, self.catalogue, self.last_asked)

    def give_places_back(self, accounts: Iterable[UUID | None]) -> None:
        """Somebody for whom a place may be kept was asked, or may never be: look again now."""
        if not self.catalogue.keeping:
            return
        companies = dict.fromkeys(account_id for account_id in accounts if account_id)
        if companies:
            self.diary.wake(self.facts.now, Reason.PLACE_KEPT, (), companies)

    def wake_outranked(self, plans: Sequence[Plan]) -> None:
        """Whoever waited for a more important question that was called off, moved or left out may ask."""
        real = [plan for plan in plans if not plan.shadow]
        contacts = dict.fromkeys(plan.contact_id for plan in real if plan.contact_id)
        accounts = dict.fromkeys(p.account_id for p in real if p.account_id and not p.contact_id)
        self.diary.wake(self.facts.now, Reason.OUTRANKED, contacts, accounts)

    def recall(self, survey_id: UUID, reason: Reason) -> None:
        """Nobody is reminded of a survey any more."""
        ask = self.diary.close(survey_id)
        line = of_recall(ask, reason) if ask else None
        if line:
            self.note(self.facts.now, line)
