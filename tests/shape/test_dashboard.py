"""Dashboard and alert rules name only metrics that the code counts, with labels that it sets."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tools import dashboard, metrics

ROOT = Path(__file__).parents[2]
_METRIC = re.compile(r"\bafterword_\w+")
_LABEL = re.compile(r"(?:by|on|without) \(([^)]*)\)|[{,]\s*(\w+)\s*(?:=~|!=|!~|=)")
# Set by Prometheus where it scrapes, not by the code.
SCRAPED = {"service_name", "job", "instance"}


def rules() -> list[tuple[str, str]]:
    text = (ROOT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8")
    return [
        (rule["alert"], rule["expr"]) for group in yaml.safe_load(text)["groups"] for rule in group["rules"]
    ]


EXPRESSIONS = [pytest.param(expr, id=title) for title, expr in (*dashboard.queries(), *rules())]


def labels(expr: str) -> set[str]:
    found = {name.strip() for grouped, one in _LABEL.findall(expr) for name in (grouped or one).split(",")}
    return found - SCRAPED


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_an_expression_asks_for_metrics_that_exist(expr: str) -> None:
    known = {series: metric for metric in metrics.metrics() for series in metric.series}
    used = set(_METRIC.findall(expr))
    assert used <= known.keys()
    assert not used or labels(expr) <= {label for name in used for label in known[name].labels}


def test_panels_fill_the_width_without_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(dashboard.render())["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    text = (ROOT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8")
    operations = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in operations.splitlines()
        if line.startswith("#")
    }
    for group in yaml.safe_load(text)["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"page", "warn"}
            page, anchor = rule["annotations"]["runbook_url"].split("#")
            assert page == "docs/operations.md"
            assert anchor in headings
