"""Entries of one person, and accounts of one company, are merged in a backtest."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from services.trigger.domain import merging, merging_accounts
from services.trigger.domain.backtest.state import State
from shared.contracts.reasons import Reason
from shared.contracts.touchpoints import Touchpoint


def unite(state: State, ids: Iterable[UUID], by: str) -> None:
    """Entries of one person are merged; what was asked of any of them counts, nothing is asked twice."""
    named = list(ids)
    known = any(state.people.is_known(one) for one in named)
    homes = {state.people.contacts[state.people.current(one)].account_id for one in named}
    found = state.people.unite(named)
    if found is None:
        return
    survivor, gone = found
    series = _again(state)
    settled = merging.settle(state.diary.all_of([survivor, *gone]), survivor, gone, series)
    state.diary.move(settled.moved, gone, survivor)
    for contact_id in gone:
        for asks in (state.facts.asks, *state.facts.would_be.values()):
            asks.move(contact_id, survivor)
        state.parties.move(contact_id, survivor)
        _count_on(state, contact_id, survivor)
    for decision in merging.lines(survivor, gone, settled, by, known=known):
        state.note(state.facts.now, decision)
    state.diary.wake(state.facts.now, Reason.OUTRANKED, (survivor,), ())
    state.give_places_back([*homes, *(plan.account_id for plan in settled.moved)])


def unite_accounts(state: State, told: Touchpoint, by: str) -> None:
    """Accounts of one company are merged."""
    found = state.people.unite_accounts(told)
    if found is None:
        return
    survivor, gone, known = found
    subjects = [subject for one in (survivor, *gone) for subject in merging_accounts.subjects_of(one)]
    of = state.diary.book.of
    mine = {p.id: p for edition in state.editions.values() for s in subjects for p in of(edition, s)}
    mine |= {plan.id: plan for one in gone for plan in state.diary.about(one)}
    series = _again(state)
    settled = merging_accounts.settle(list(mine.values()), survivor, gone, series)
    state.diary.move_accounts(settled.moved, gone, survivor)
    for one in gone:
        for asks in (state.facts.asks, *state.facts.would_be.values()):
            asks.move_account(one, survivor)
        state.parties.move_account(one, survivor)
        for old, new in zip(
            merging_accounts.subjects_of(one), merging_accounts.subjects_of(survivor), strict=True
        ):
            _count(state, old, new)
    for decision in merging_accounts.lines(survivor, gone, settled, by, known=known):
        state.note(state.facts.now, decision)
    state.diary.wake(state.facts.now, Reason.OUTRANKED, (), (survivor,))
    state.give_places_back([survivor])


def _count_on(state: State, gone: UUID, survivor: UUID) -> None:
    """What was counted of a former id counts for the one who stays."""
    _count(state, f"contact:{gone}", f"contact:{survivor}")
    if asked := state.last_asked.pop(gone, None):
        state.last_asked[survivor] = max(asked, state.last_asked.get(survivor, asked))


def _count(state: State, old: str, new: str) -> None:
    """What was counted of one subject counts for another."""
    tallies = state.diary.book.tallies
    for key in state.editions:
        seen = tallies.pop((key, old), 0)
        if seen:
            tallies[key, new] = tallies.get((key, new), 0) + seen


def _again(state: State) -> set[str]:
    """Programmes that ask the same person about the same thing more than once."""
    rules = {key: edition.programme.when for key, edition in state.editions.items()}
    return {key for key, when in rules.items() if when.recurring or when.by_hand}
