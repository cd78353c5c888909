from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.domain.settling import (
    Announced,
    Judged,
    Patience,
    Say,
    State,
    Waiting,
    current,
    due,
    settle,
)
from services.collector.domain.verdict import Judgement
from shared.contracts.responses import Mood, Verdict

T = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
CLOSES = T + timedelta(days=30)
HUMAN, MACHINE, UNCLEAR = Verdict.HUMAN, Verdict.MACHINE, Verdict.UNCLEAR


def judged(*verdicts: Verdict) -> list[Judged]:
    return [Judged(number, Judgement(verdict, ())) for number, verdict in enumerate(verdicts, start=1)]


def waiting(received: float, *, complete: bool = True, mood: Mood = Mood.HAPPY) -> Waiting:
    return Waiting(T, T + timedelta(seconds=received), complete, mood, CLOSES)


@pytest.mark.parametrize(
    ("answer", "ready", "at_latest"),
    [
        pytest.param(waiting(5), 20, 905, id="20 s after the first observation"),
        pytest.param(waiting(300), 300, 1200, id="who reads and types does not wait"),
        pytest.param(
            waiting(5, complete=False, mood=Mood.UNHAPPY), 20, 905, id="unhappy waits for no missing tick"
        ),
    ],
)
def test_an_answer_settles(answer: Waiting, ready: int, at_latest: int) -> None:
    leaves = due(answer, Patience())
    assert (leaves.ready_at, leaves.at_latest) == (
        T + timedelta(seconds=ready),
        T + timedelta(seconds=at_latest),
    )


@pytest.mark.requirement("R49")
def test_an_incomplete_answer_waits_for_its_rest_until_the_survey_closes() -> None:
    assert due(waiting(5, complete=False), Patience()).ready_at == CLOSES


@pytest.mark.requirement("R49", "R72")
def test_an_unhappy_draft_leaves_half_an_hour_after_its_last_step_at_the_latest_when_the_survey_closes() -> (
    None
):
    draft = Waiting(
        T, T + timedelta(seconds=60), complete=False, mood=Mood.UNHAPPY, closes_at=CLOSES, draft=True
    )
    assert due(draft, Patience()).ready_at == T + timedelta(seconds=60 + 1800)
    late = replace(draft, received_at=CLOSES - timedelta(minutes=1))
    assert due(late, Patience()).ready_at == CLOSES
    assert due(replace(draft, mood=Mood.HAPPY), Patience()).ready_at == CLOSES


PENDING = Announced()


@pytest.mark.parametrize(
    ("before", "versions", "says", "then"),
    [
        pytest.param(
            PENDING, judged(HUMAN), [Say.SUBMITTED], (State.COUNTED, 1),
            id="a person",
        ),
        pytest.param(
            PENDING, judged(MACHINE), [Say.HELD], (State.HELD, 1),
            id="a machine",
        ),
        pytest.param(
            PENDING, judged(UNCLEAR), [Say.HELD], (State.HELD, 1),
            id="unclear is held too",
        ),
        pytest.param(
            PENDING, judged(MACHINE, HUMAN), [Say.SUBMITTED], (State.COUNTED, 2),
            id="then a person",
        ),
        pytest.param(
            PENDING, judged(HUMAN, MACHINE), [Say.SUBMITTED], (State.COUNTED, 1),
            id="machine overwrites none",
        ),
        pytest.param(
            Announced(State.COUNTED, 1), judged(HUMAN, HUMAN), [Say.AMENDED], (State.COUNTED, 2), id="amended"
        ),
        pytest.param(
            Announced(State.COUNTED, 2), judged(HUMAN, HUMAN), [], (State.COUNTED, 2),
            id="nothing new",
        ),
        pytest.param(
            Announced(State.HELD, 1), judged(MACHINE, HUMAN), [Say.RELEASED], (State.COUNTED, 2),
            id="later human edit",
        ),
        pytest.param(
            Announced(State.HELD, 1), judged(HUMAN), [Say.RELEASED], (State.COUNTED, 1),
            id="judged anew",
        ),
        pytest.param(
            Announced(State.HELD, 1), judged(MACHINE), [], (State.HELD, 1),
            id="still held",
        ),
        pytest.param(
            Announced(State.COUNTED, 1), judged(MACHINE), [Say.WITHDRAWN, Say.HELD], (State.HELD, 1),
            id="evidence came later",
        ),
        pytest.param(
            Announced(State.COUNTED, 2), judged(HUMAN, MACHINE), [Say.AMENDED], (State.COUNTED, 1),
            id="an amendment turns out a machine's: back to the person's answer",
        ),
    ],
)  # fmt: skip
def test_what_is_announced(
    before: Announced, versions: list[Judged], says: list[Say], then: tuple[State, int]
) -> None:
    assert settle(before, versions) == (tuple(says), Announced(*then))


VERSIONS = st.lists(st.sampled_from(list(Verdict)), min_size=1, max_size=4)


@given(st.lists(st.tuples(VERSIONS, st.booleans()), min_size=1, max_size=6))
def test_the_books_of_a_response_balance(rounds: list[tuple[list[Verdict], bool]]) -> None:
    """Whatever is judged how often: what is announced last says whether the response counts."""
    announced, counts = PENDING, False
    for verdicts, superseded in rounds:
        versions = judged(*verdicts)
        says, announced = settle(announced, versions, superseded=superseded)
        for say in says:
            counts = say in {Say.SUBMITTED, Say.AMENDED, Say.RELEASED}
        stands = current(versions).human and not superseded
        assert counts == stands == (announced.state is State.COUNTED)
        assert settle(announced, versions, superseded=superseded) == ((), announced)
