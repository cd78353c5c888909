"""Goals, outcomes and references: what can be said, and when nothing can."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from services.scoring.app import references_of
from services.scoring.domain.asking import Span
from services.scoring.domain.goals import Goal, Progress, Value, days_of, measured
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import Group, score
from services.scoring.domain.outcomes import Fate, Link, outcome
from services.scoring.domain.references import Reference, References, Standing, against
from shared.errors import AfterwordError

SET, END = date(2026, 1, 1), date(2026, 6, 30)


def _goal(metric: str = "nps", change: str = "+10") -> Goal:
    return Goal(metric, change, "3mo", END, SET)


@pytest.mark.requirement("R86")
@pytest.mark.parametrize(
    ("goal", "before", "now", "today", "progress", "share"),
    [
        (_goal(), 20.0, 30.0, date(2026, 3, 1), Progress.REACHED, 1.0),
        (_goal(), 20.0, 25.0, date(2026, 3, 1), Progress.ON_THE_WAY, 0.5),
        (_goal(), 20.0, 20.0, date(2026, 3, 1), Progress.NOT_YET, 0.0),
        (_goal(), 20.0, 29.0, END, Progress.ON_THE_WAY, 0.9),
        (_goal(), 20.0, 29.0, END + timedelta(days=1), Progress.MISSED, 0.9),
        (_goal(change="+50%"), -20.0, -10.0, date(2026, 3, 1), Progress.REACHED, 1.0),
        (_goal("cancellations", "-30%"), 10.0, 7.0, date(2026, 3, 1), Progress.REACHED, 1.0),
        (_goal("cancellations", "-30%"), 10.0, 12.0, date(2026, 3, 1), Progress.NOT_YET, -2 / 3),
    ],
)
def test_a_goal_says_how_much_of_the_way_is_behind(  # a row of the table is one case
    goal: Goal, before: float, now: float, today: date, progress: Progress, share: float
) -> None:
    found = measured(goal, Value(before, 40), Value(now, 40), today)
    assert found.progress is progress
    assert found.share == pytest.approx(share)


@pytest.mark.requirement("R86")
@pytest.mark.parametrize(
    ("metric", "n_before", "n_now", "enough"),
    [
        ("nps", 5, 5, True),
        ("nps", 4, 5, False),
        ("nps", 5, 4, False),
        ("churn", 5, 0, True),
        ("churn", 4, 9, False),
    ],
)
def test_with_too_little_to_go_by_a_goal_says_so(
    metric: str, n_before: int, n_now: int, *, enough: bool
) -> None:
    found = measured(_goal(metric), Value(10.0, n_before), Value(10.0, n_now), SET)
    assert (found.progress is not Progress.NOT_ENOUGH_DATA) is enough


def test_of_a_few_answers_a_person_is_shown_the_count_alone() -> None:
    assert _goal().tells(Value(10.0, 5))
    assert not _goal().tells(Value(10.0, 4))
    assert _goal("churn").tells(Value(0.0, 0))
    assert not _goal("churn").tells(Value(None, 0))


def test_a_goal_is_measured_in_spans_as_long_as_its_baseline() -> None:
    assert _goal().before == Span(SET - timedelta(days=90), SET - timedelta(days=1))
    assert _goal().now(date(2026, 1, 10)) == Span(SET, date(2026, 1, 10))
    assert _goal().now(date(2026, 12, 1)) == Span(END - timedelta(days=89), END)
    assert [days_of(text) for text in ("2w", "45d", "6mo", "1y", "soon")] == [14, 45, 180, 365, 180]


@pytest.mark.requirement("R8")
@pytest.mark.parametrize(
    ("unhappy", "happy", "link"),
    [
        (Fate(40, 20), Fate(60, 3), Link.LEFT_MORE),
        (Fate(40, 1), Fate(40, 20), Link.LEFT_LESS),
        (Fate(10, 2), Fate(10, 1), Link.NO_DIFFERENCE),
        (Fate(4, 4), Fate(60, 0), Link.NOT_ENOUGH_DATA),
        (Fate(60, 40), Fate(4, 0), Link.NOT_ENOUGH_DATA),
    ],
)
def test_whether_the_unhappy_left_more_often_is_said_only_where_it_is_there(
    unhappy: Fate, happy: Fate, link: Link
) -> None:
    found = outcome(Metric.NPS, {Group.LOW: unhappy, Group.HIGH: happy})
    assert found.link is link
    assert (found.points is None) is (link is Link.NOT_ENOUGH_DATA)


@pytest.mark.requirement("R9", "R92")
def test_a_score_stands_above_or_below_a_value_only_with_its_whole_interval() -> None:
    held = against(
        score(Histogram.of(Metric.NPS, [10] * 70 + [8] * 20 + [2] * 10)),
        References(
            industry="SaaS",
            values=[
                Reference(name="average", value=41, industry="saas"),
                Reference(name="theirs", value=62, competitor=True),
                Reference(name="best", value=90),
                Reference(name="elsewhere", value=10, industry="logistics"),
                Reference(name="ease", value=10, metric=Metric.CES),
            ],
        ),
    )
    assert [(one.reference.name, one.standing) for one in held] == [
        ("average", Standing.ABOVE), ("theirs", Standing.OPEN), ("best", Standing.BELOW),
    ]  # fmt: skip
    few = against(score(Histogram.of(Metric.NPS, [10] * 4)), references_of(None))
    assert {one.standing for one in few} == {Standing.TOO_FEW}


@pytest.mark.requirement("R9")
def test_the_shipped_values_are_those_of_the_guides() -> None:
    shipped = references_of(None).model_copy(update={"industry": "saas"})
    assert [(one.named("en"), one.value) for one in shipped.of(Metric.NPS)] == [
        ("Good", 30), ("SaaS average", 41), ("Excellent", 50),
    ]  # fmt: skip


@pytest.mark.requirement("R9", "R92")
def test_a_value_has_a_name_for_all_readers_or_one_by_language() -> None:
    by_language = Reference.model_validate({"name": {"en": "Good", "sv": "Bra"}, "value": "30"})
    assert [by_language.named(locale) for locale in ("en", "sv", "es")] == ["Good", "Bra", "Good"]
    swedish_alone = Reference.model_validate({"name": {"sv": "Bra"}, "value": "30"})
    assert swedish_alone.named("es") == "Bra"
    assert Reference(name="Fabrikam", value=30).named("es") == "Fabrikam"
    shipped = references_of(None).values
    assert all(set(one.names) == {"en", "es", "sv"} for one in shipped)


@pytest.mark.requirement("R9")
@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "values:\n  - name: Good\n    value: 130\n",
            ":3: values[0].value: '130' is more than 100. Write 100 at most.",
        ),
        (
            "values:\n  - {name: Good, value: high}\n",
            ":2: values[0].value: 'high' is not a number. Write a number.",
        ),
        (
            "values:\n  - {name: Good, metrik: nps, value: 30}\n",
            ":2: values[0].metrik: the key 'metrik' is not known. Did you mean 'metric'?",
        ),
        ("values:\n  - {value: 30}\n", ":2: values[0].name: name is missing. Write it."),
        (
            "values:\n  - name: {sw: Bra}\n    value: 30\n",
            ":2: values[0].name.sw: 'sw' is not 'en', 'es' or 'sv'. Write one of these.",
        ),
        (
            "values:\n  - {name: Good, metric: npx, value: 30}\n",
            ":2: values[0].metric: 'npx' is not 'nps', 'nps5', 'csat' or 'ces'. Did you mean 'nps'?",
        ),
        ("", ":1: the file is empty. Write one document that begins with `values:`."),
    ],
)
def test_a_file_that_cannot_be_used_says_where_why_and_what_to_do(
    tmp_path: Path, written: str, told: str
) -> None:
    file = tmp_path / "references.yaml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(AfterwordError) as refused:
        references_of(file)
    assert f"AFTERWORD_SCORING_REFERENCES: {file}{told}" in str(refused.value)


@pytest.mark.requirement("R9")
def test_a_file_that_is_not_there_is_told_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(AfterwordError, match=r"AFTERWORD_SCORING_REFERENCES: .*No such file.*take it out"):
        references_of(tmp_path / "gone.yaml")
