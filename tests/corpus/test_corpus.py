"""The corpus against the house: what machines do never counts, what people do is never lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.corpus import pure
from tests.corpus.house import Outcome, perform
from tests.corpus.traces import Trace, machines, people
from tests.support.books import balanced
from tests.support.databases import TestDatabase
from tests.support.house import opened

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
LOW = 6
ALL = [*machines(), *people()]

FOR_A_WHILE = [
    "presses a button, then opens the hidden link",
    "score after score, a quarter of a minute apart, each pressed",
]
"""What gives these away comes after their answers settled: they count for a while and are withdrawn."""


def test_there_are_enough_of_them_and_each_names_where_it_comes_from() -> None:
    assert len(machines()) >= 40
    assert len(people()) >= 25
    assert len({trace.name for trace in ALL}) == len(ALL)
    assert all(trace.source for trace in ALL)
    assert {trace.ends for trace in machines()} == {"nothing", "held"}
    assert {trace.ends for trace in people()} == {"counted", "held"}


@pytest.mark.parametrize("trace", [pytest.param(trace, id=trace.name) for trace in ALL])
def test_the_rules_alone_judge_a_trace_so(trace: Trace) -> None:
    end = pure.end(trace)
    assert end.ends == trace.ends
    assert trace.score is None or end.score == trace.score
    assert set(trace.because) <= set(end.evidence)


@pytest.mark.e2e
@pytest.mark.timeout(240)
async def test_machines_never_count_and_people_are_never_lost(fresh_database: TestDatabase) -> None:
    async with opened(fresh_database, START) as house:
        outcomes = await perform(house, ALL)
        await balanced(house)
    assert [wrong for wrong in map(_wrong, ALL, outcomes) if wrong] == []
    ever = [t.name for t, outcome in zip(ALL, outcomes, strict=True) if not t.human and outcome.announced]
    assert ever == FOR_A_WHILE


def _wrong(trace: Trace, outcome: Outcome) -> str:
    """What is not as the trace says; empty when all is well."""
    faults: Sequence[tuple[str, bool]] = (
        ("ends otherwise", outcome.ends != trace.ends),
        ("another score", trace.score is not None and outcome.score != trace.score),
        ("other reasons", not set(trace.because) <= set(outcome.evidence)),
        ("an answer was recorded", trace.ends == "nothing" and outcome.answers > 0),
        ("scored otherwise", outcome.scored != (trace.score if trace.ends == "counted" else None)),
        ("a ticket otherwise", (outcome.voice == "unhappy") != (trace.ends == "counted" and _low(outcome))),
        ("not in the inbox", (outcome.unconfirmed == "waiting") != (trace.ends == "held" and _low(outcome))),
        ("mails stopped otherwise", outcome.stopped != any(s.do == "one_click" for s in trace.steps)),
    )
    said = ", ".join(name for name, wrong in faults if wrong)
    return f"{trace.name}: {said}: {outcome}" if said else ""


def _low(outcome: Outcome) -> bool:
    return outcome.score is not None and outcome.score <= LOW
