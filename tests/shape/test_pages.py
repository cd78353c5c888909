"""What was measured of pages is whole, and customers' pages are as good as is promised."""

import json
from typing import Any

import pytest

from tests.lighthouse.customers import NAMES
from tests.lighthouse.judge import CATEGORIES
from tools.pages import GOAL, LIGHTHOUSE, ROOT, SERVED, served


@pytest.fixture(scope="module")
def judged() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / LIGHTHOUSE).read_text(encoding="utf-8"))
    return found


def test_every_page_of_customers_was_judged_several_times(judged: dict[str, Any]) -> None:
    assert [one["page"] for one in judged["pages"]] == list(NAMES)
    rounds = {len(scores) for one in judged["pages"] for scores in one["scores"].values()}
    assert rounds == {judged["rounds"]}
    assert judged["rounds"] >= 3
    assert all(tuple(one["scores"]) == CATEGORIES for one in judged["pages"])


def test_it_was_judged_as_a_slow_phone(judged: dict[str, Any]) -> None:
    assert (judged["form_factor"], judged["throttling"], judged["cpu_slowdown"]) == ("mobile", "simulate", 4)


@pytest.mark.requirement("R37")
def test_no_page_of_a_customer_was_ever_below_the_goal(judged: dict[str, Any]) -> None:
    lows = {one["page"]: min(min(scores) for scores in one["scores"].values()) for one in judged["pages"]}
    assert {page: low for page, low in lows.items() if low < GOAL} == {}


def test_a_page_that_misses_its_goal_is_told_in_bold() -> None:
    page = {
        "page": "overview", "what": "all", "p50": 30.0, "p95": 50.1, "slowest": 70.0, "service": 12.0,
        "postgres": 15.2, "bytes": 60_001,
    }  # fmt: skip
    told = {"rounds": 5, "visits": 40, "taken_at": "2026-11-23", "load": 0.1, "machine": "two cores"}
    assert "| **50.1 ms** | 70.0 ms | 12 + 15 ms | **60.0 kB** |" in served({**told, "pages": [page]})
    quick = {**page, "p95": 50.0, "bytes": 60_000}
    assert "**" not in served({**told, "pages": [quick]})


def test_pages_of_reps_and_readers_were_timed() -> None:
    found = json.loads((ROOT / SERVED).read_text(encoding="utf-8"))
    names = {one["page"].partition(",")[0] for one in found["pages"]}
    assert names >= {"overview", "programme", "accounts", "account", "comments", "results", "inbox", "ticket"}
