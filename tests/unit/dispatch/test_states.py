"""The table of states: what can follow what, each happening with one end."""

from __future__ import annotations

from itertools import product

import pytest

from services.dispatch.domain.states import OPEN, TRANSITIONS, Happening, State, sources, target

LEGAL = {
    ("planned", "claim", "claimed"),
    ("claimed", "release", "planned"),
    ("claimed", "suppress", "suppressed"),
    ("claimed", "reject", "failed"),
    ("claimed", "call", "handing_over"),
    ("handing_over", "accept", "handed_over"),
    ("handing_over", "defer", "planned"),
    ("handing_over", "refuse", "failed"),
    ("handing_over", "lose", "uncertain"),
    ("uncertain", "send_again", "planned"),
    ("planned", "call_off", "uncertain"),
    ("claimed", "call_off", "uncertain"),
    ("uncertain", "accept", "handed_over"),
    ("uncertain", "refuse", "failed"),
    ("claimed", "pass_on", "passed_on"),
    ("handing_over", "pass_on", "passed_on"),
    ("uncertain", "pass_on", "passed_on"),
    ("handed_over", "pass_on", "passed_on"),
}


@pytest.mark.parametrize(("state", "happening"), list(product(State, Happening)))
def test_only_legal_moves_exist(state: State, happening: Happening) -> None:
    after = TRANSITIONS.get((state, happening))
    expected = {a for s, h, a in LEGAL if (s, h) == (state.value, happening.value)}
    assert ({after.value} if after else set()) == expected


@pytest.mark.parametrize("happening", list(Happening))
def test_each_happening_has_one_end(happening: Happening) -> None:
    ends = {TRANSITIONS[state, happening] for state in sources(happening)}
    assert ends == {target(happening)}


def test_nothing_is_sent_again_once_a_provider_may_have_it_unless_a_person_decides_so() -> None:
    by_itself = {move: after for move, after in TRANSITIONS.items() if move[1] is not Happening.SEND_AGAIN}
    reachable = {State.UNCERTAIN}
    while more := {after for (s, _), after in by_itself.items() if s in reachable} - reachable:
        reachable |= more
    assert reachable.isdisjoint(OPEN)


def test_a_provider_is_called_in_one_state_only() -> None:
    assert sources(Happening.CALL) == (State.CLAIMED,)
    assert sources(Happening.LOSE) == (State.HANDING_OVER,)
