"""What is ahead in a backtest that decides about plans which are due now: rivals, and who is awaited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from services.trigger.domain.arbitration import rival_of
from services.trigger.domain.backtest.state import State
from services.trigger.domain.expanding import Crowd
from services.trigger.domain.facts import Rival
from services.trigger.domain.keeping import crowded
from services.trigger.domain.model import Plan
from services.trigger.domain.places import Crew, foreseen
from services.trigger.domain.programme import Edition
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Reason

MEMORY = timedelta(days=800)
"""How far ahead plans are rivals; further than any quarantine that passes the check."""

_HELD_BACK = frozenset({Reason.PAUSED, Reason.HELD})


def rivals(state: State, due: Sequence[Plan]) -> Mapping[UUID, Sequence[Rival]]:
    """Other plans of the people whose plans are due, as they stand before any of these is decided."""
    facts, until = state.facts, state.facts.now + MEMORY
    horizon = facts.now + state.reach
    found: dict[UUID, list[Rival]] = {}
    looked: set[UUID] = set()
    for plan in due:
        contact_id, priority = plan.contact_id, plan.priority
        if contact_id is None:
            continue
        pending = state.diary.pending_of(contact_id)
        # What is not more important than any plan of its person that is due keeps nobody waiting.
        if len(pending) > 1 and contact_id not in looked and _is_above(pending, priority):
            looked.add(contact_id)
            found[contact_id] = [*_own_rivals(state, pending, until), *found.get(contact_id, ())]
        for audience in _audiences(state, plan, contact_id):
            if audience.due_at >= horizon or audience.priority <= priority or audience.shadow:
                continue
            edition = state.editions[audience.programme]
            part = state.parties.part(audience, edition, contact_id, facts.now)
            rival = rival_of(audience, plan, edition, facts, part)
            if rival:
                found.setdefault(contact_id, []).append(rival)
    return found


def awaited(state: State, due: Sequence[Plan]) -> dict[tuple[str, UUID], Crew]:
    """What is ahead at the accounts of due plans, where a place may have to be kept for one of them."""
    found: dict[tuple[str, UUID], Crew] = {}
    number = Counter(plan.account_id for plan in due)
    for plan in due:
        edition, account_id = state.editions[plan.programme], plan.account_id
        if account_id is None or not edition.programme.keeps_places:
            continue
        if crowded(plan, edition, state.facts, number[account_id]):
            found[plan.programme, account_id] = _crew(state, account_id, edition)
    return found


def _crew(state: State, account_id: UUID, edition: Edition) -> Crew:
    planned = (*state.diary.about(account_id), *state.diary.anywhere())
    ahead = [plan for plan in planned if plan.programme == edition.key]
    crew = {plan.id: plan for plan in ahead if plan.contact_id}
    for parent in ahead:
        if parent.contact_id is None:
            people = state.parties.crowd(parent, edition, state.people, state.facts.now)
            crowd = Crowd(people, state.people.accounts)
            for child in foreseen(parent, edition, crowd, state.organisation):
                if child.account_id == account_id:
                    crew.setdefault(child.id, child)
    return crew


def _audiences(state: State, plan: Plan, contact_id: UUID) -> Iterable[Plan]:
    """Those not yet resolved in which a plan's person may be: of the company, of others, of none."""
    near = state.diary.audiences_of(plan.account_id)
    if not state.diary.has_abroad:
        return near
    subjects = state.parties.subjects_of(contact_id)
    return chain(near, state.diary.audiences_abroad(subjects, plan.account_id)) if subjects else near


def _own_rivals(state: State, pending: Iterable[Plan], until: datetime) -> Iterator[Rival]:
    for plan in pending:
        edition = state.editions[plan.programme]
        waits = plan.shadow or plan.waits_for in _HELD_BACK
        if plan.due_at < until and not waits and edition.state is ProgrammeState.ACTIVE:
            rules = edition.programme.quarantine
            yield Rival(
                plan.id, plan.programme, plan.priority, plan.due_at, rules.contact,
                exempt=rules.exempt, family=edition.programme.family, apart=rules.family,
                opt_in=edition.programme.consent == "opt_in",
            )  # fmt: skip


def _is_above(plans: Iterable[Plan], priority: int) -> bool:
    for plan in plans:  # noqa: SIM110 - a generator would cost more than it looks at
        if plan.priority > priority:
            return True
    return False
