"""Figures of contacts and accounts as CRMs hold them: what stands there, and what is to be written."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.scoring.domain.change import compare
from services.scoring.domain.crm import (
    ACCOUNT_FIGURES,
    CONTACT_FIGURES,
    Figures,
    Said,
    Scores,
    Shape,
    Subject,
    account_figures,
    again_after,
    changed,
    contact_figures,
    held_for,
    one_of,
    shape_of,
)
from services.scoring.domain.design import Voices
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Split, scored
from shared.contracts.model import Family
from shared.runtime.ids import derive

pytestmark = pytest.mark.requirement("R71")
DAY = date(2026, 3, 3)
ONE = derive("contact", 1)


def known(figures: Figures) -> dict[str, object]:
    return {name: value for name, value in figures.items() if value is not None}


def said(value: int, days: int = 0, metric: Metric = Metric.NPS, family: str = "transactional") -> Said:
    return Said(metric, family, value, DAY - timedelta(days=days))


@pytest.mark.parametrize(
    ("answers", "figures"),
    [
        pytest.param([], {}, id="nobody heard"),
        pytest.param([said(9)], {"nps": 9, "nps_date": "2026-03-03"}, id="a first one has no trend"),
        pytest.param([said(9), said(6, 4)], {"nps": 9, "nps_date": "2026-03-03", "nps_trend": "up"}, id="up"),
        pytest.param(
            [said(6), said(9, 4), said(0, 9)],
            {"nps": 6, "nps_date": "2026-03-03", "nps_trend": "down"},
            id="the one before counts, not the first",
        ),
        pytest.param(
            [said(6), said(6, 4)], {"nps": 6, "nps_date": "2026-03-03", "nps_trend": "same"}, id="same"
        ),
        pytest.param(
            [said(6), said(9, 4, family="relationship"), said(3, 8)],
            {"nps": 6, "nps_date": "2026-03-03", "nps_trend": "up"},
            id="families apart",
        ),
        pytest.param(
            [said(0), said(5, metric=Metric.NPS5)],
            {"nps": 0, "nps_date": "2026-03-03", "nps5": 5, "nps5_date": "2026-03-03"},
            id="scales apart, and zero is an answer",
        ),
    ],
)
def test_a_contact_has_its_last_answer_of_each_metric(
    answers: list[Said], figures: dict[str, object]
) -> None:
    found = contact_figures(answers)
    assert known(found) == figures
    assert set(found) == set(CONTACT_FIGURES)


NOBODY = Voices(0, 0, 0)


def scores(now: Voices, before: Voices = NOBODY, metric: Metric = Metric.CSAT) -> Scores:
    def score(one: Voices) -> Split:
        return Split(one.high, one.n - one.high - one.low, one.low)

    change = compare(scored(metric, score(before)), scored(metric, score(now)))
    return Scores(metric, "transactional", change, DAY)


def test_an_account_has_a_score_with_interval_answers_and_day() -> None:
    found = known(account_figures([scores(Voices(6, 4, 1))], 71, None))
    assert {name: found[name] for name in ("csat_transactional", "csat_transactional_n", "health")} == {
        "csat_transactional": 66.7, "csat_transactional_n": 6, "health": 71,
    }  # fmt: skip
    assert found["csat_transactional_date"] == "2026-03-03"
    whole = scored(Metric.CSAT, Split(4, 1, 1))
    assert found["csat_transactional_low"] == round(whole.low or 0, 1)
    assert found["csat_transactional_high"] == round(whole.high or 0, 1)
    assert "csat_transactional_trend" not in found


@pytest.mark.parametrize("n", [1, 4])
def test_below_five_answers_their_number_stands_alone(n: int) -> None:
    found = known(account_figures([scores(Voices(n, n, 0))], None, None))
    assert found == {"csat_transactional_n": n, "csat_transactional_date": "2026-03-03"}


@pytest.mark.parametrize(
    ("now", "before", "trend"),
    [
        pytest.param(Voices(40, 38, 1), Voices(40, 10, 20), "up", id="certainly better"),
        pytest.param(Voices(40, 10, 20), Voices(40, 38, 1), "down", id="certainly worse"),
        pytest.param(Voices(10, 6, 2), Voices(10, 7, 2), "same", id="no detectable change"),
        pytest.param(Voices(10, 6, 2), Voices(4, 4, 0), None, id="too few before"),
    ],
)
def test_a_trend_is_told_only_where_it_can_be(now: Voices, before: Voices, trend: str | None) -> None:
    assert account_figures([scores(now, before)], None, None)["csat_transactional_trend"] == trend


@pytest.mark.parametrize(
    ("now", "before", "trend"),
    [
        (70, 65, "up"),
        (70, 66, "same"),
        (60, 65, "down"),
        (60, 64, "same"),
        (60, None, None),
        (None, 60, None),
    ],
)
def test_health_moves_by_five_points_or_stands_still(
    now: int | None, before: int | None, trend: str | None
) -> None:
    assert account_figures([], now, before)["health_trend"] == trend


def test_every_figure_of_an_account_is_always_told_so_that_what_is_gone_is_cleared() -> None:
    assert set(account_figures([scores(Voices(6, 4, 1))], 71, 60)) == set(ACCOUNT_FIGURES)
    assert len({*ACCOUNT_FIGURES}) == 2 + len(Metric) * len(Family) * 6


def test_only_what_the_record_does_not_hold_is_written() -> None:
    written: Figures = {"nps": 9, "nps_trend": "up", "csat": 3}
    wanted: Figures = {"nps": 9, "nps_trend": "same", "csat": None, "ces": None}
    assert changed(written, wanted) == {"nps_trend": "same", "csat": None}
    assert changed({**written, **changed(written, wanted)}, wanted) == {}


@pytest.mark.parametrize(
    ("figure", "shape"),
    [
        ("nps", Shape.NUMBER), ("nps_relationship_low", Shape.NUMBER), ("nps_date", Shape.DATE),
        ("health_trend", Shape.TREND),
    ],
)  # fmt: skip
def test_a_figure_has_a_shape(figure: str, shape: Shape) -> None:
    assert shape_of(figure) is shape


def test_a_partners_own_id_is_that_of_this_partner_alone() -> None:
    one = Subject(ONE, "hubspot:17")
    assert (one.own_id("hubspot"), one.own_id("salesforce")) == ("17", "")
    assert Subject(ONE, "hubspot").own_id("hubspot") == ""


def test_of_several_records_none_is_guessed() -> None:
    assert "several" in getattr(one_of(["1", "2"]), "reason", "")
    assert "no such" in getattr(one_of([]), "reason", "")


def test_waits_double_up_to_an_end_and_wishes_count() -> None:
    def waits(attempts: int, wish: int | None = None) -> float:
        wished = timedelta(seconds=wish) if wish else None
        return held_for(attempts, permanent=False, wish=wished).total_seconds()

    assert [waits(n) for n in (1, 2, 3, 8, 99)] == [5, 10, 20, 600, 600]
    assert (waits(1, 120), waits(8, 120), waits(1, 86_400)) == (120, 600, 3600)
    assert held_for(1, permanent=True, wish=None) == timedelta(hours=1)
    assert [again_after(n) for n in (1, 2, 9)] == [timedelta(hours=h) for h in (1, 2, 24)]
