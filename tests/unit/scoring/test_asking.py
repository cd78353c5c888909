from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from services.scoring.domain.asking import NoSuchRollup, Question, Span, ask, crossings, rollup_for
from services.scoring.domain.asks import ask_of
from services.scoring.domain.cutting import cut
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.periods import Step, fitting
from services.scoring.domain.rates import Asked
from tests.support.scoring import snapshot


@pytest.mark.parametrize(
    ("filters", "rollup", "prefix", "exact"),
    [
        pytest.param({}, "programme", "", False, id="every programme"),
        pytest.param({"programme": "p"}, "programme", "p", True, id="one programme"),
        pytest.param({"dimension": "programme", "value": "p"}, "programme", "p", True, id="said otherwise"),
        pytest.param({"programme": "p", "dimension": "total"}, "programme", "p", True, id="its total"),
        pytest.param({"dimension": "total"}, "total", "", True, id="total of a family"),
        pytest.param({"dimension": "size", "value": "1000+"}, "size", "1000+", True, id="a plus in a value"),
        pytest.param({"dimension": "tier"}, "tier", "", False, id="every value"),
        pytest.param(
            {"programme": "p", "dimension": "tier"}, "programme+tier", "p\x1f", False, id="of a programme"
        ),
        pytest.param(
            {"programme": "p", "dimension": "tier", "value": "key"},
            "programme+tier",
            "p\x1fkey",
            True,
            id="one value of a programme",
        ),
        pytest.param(
            {"dimension": "tier+persona", "value": "key+user"}, "tier+persona", "key\x1fuser", True, id="pair"
        ),
        pytest.param(
            {"dimension": "tier+persona", "value": "key"}, "tier+persona", "key\x1f", False, id="half a pair"
        ),
    ],
)
@pytest.mark.requirement("R67")
def test_filters_find_their_cells(filters: dict[str, str], rollup: str, prefix: str, *, exact: bool) -> None:
    assert ask(**filters) == Question(rollup, prefix, exact)  # type: ignore[arg-type] # texts alone


@pytest.mark.requirement("R61", "R66")
def test_an_attribute_of_the_event_is_asked_for_within_its_programme() -> None:
    found = ask(programme="delivery", dimension="context.carrier", value="DHL")
    assert found == Question("programme+context.carrier", "delivery\x1fDHL", exact=True)
    with pytest.raises(NoSuchRollup):
        ask(dimension="context.carrier")


@pytest.mark.requirement("R61", "R67")
@pytest.mark.parametrize(
    ("dimension", "paths"),
    [
        ("size+region", (("size",), ("region",))),
        ("stage", (("stage",),)),
        ("account+persona+context.carrier", (("account_id",), ("persona",), ("context", "carrier"))),
    ],
)
def test_any_other_cut_is_read_from_the_facts(dimension: str, paths: tuple[tuple[str, ...], ...]) -> None:
    assert cut(dimension).paths == paths


@pytest.mark.parametrize("dimension", ["shoe_size", "context.", "tier+tier", "tier+size+region+owner", ""])
def test_there_is_no_cut_by_what_answers_do_not_have(dimension: str) -> None:
    with pytest.raises(NoSuchRollup):
        cut(dimension)


def test_what_is_not_kept_is_refused_with_what_is() -> None:
    with pytest.raises(NoSuchRollup, match=r"no scores are kept by size\+region; there are total, programme"):
        rollup_for(("size", "region"))


@pytest.mark.requirement("R61")
def test_a_programme_is_broken_down_by_what_is_kept_for_it() -> None:
    assert crossings() == ("tier", "persona", "industry")


def test_the_span_is_passed_on() -> None:
    span = Span(date(2026, 1, 1), date(2026, 2, 1))
    assert ask(span=span, metric=Metric.CES, family="progress") == Question(
        "programme", metric=Metric.CES, family="progress", span=span
    )


@pytest.mark.parametrize(
    ("every", "count", "expected"),
    [
        pytest.param(1, 100, Step.WEEK, id="seven a week"),
        pytest.param(4, 30, Step.MONTH, id="seven a month"),
        pytest.param(15, 12, Step.QUARTER, id="two a month"),
    ],
)
@pytest.mark.requirement("R63", "R64")
def test_a_trend_takes_the_shortest_step_that_has_answers_enough(
    every: int, count: int, expected: Step
) -> None:
    days = {
        date(2026, 1, 1) + timedelta(days=every * number): Histogram.of(Metric.NPS, [9])
        for number in range(count)
    }
    assert fitting(days, 5) is expected


def test_counts_of_surveys_add_up() -> None:
    assert Asked(1, 2, 3, 4) + Asked(10, 20, 30, 40) == Asked(11, 22, 33, 44)


def test_an_ask_keeps_what_rates_are_broken_down_by() -> None:
    found = ask_of(str(UUID(int=1)), snapshot(tier=None), requested_on=date(2026, 1, 1))
    assert (found.programme, found.owner, found.tier, found.channel) == (
        "renewal",
        "anna@example.com",
        None,
        "email",
    )
    assert found.handed_on is None


def test_a_histogram_reads_back_from_the_columns_of_a_cell() -> None:
    assert Histogram.from_buckets(Metric.CSAT, [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]).by_value() == {
        "1": 1, "2": 0, "3": 0, "4": 0, "5": 2,
    }  # fmt: skip
