"""The Grafana dashboard as code: `make docs` writes deploy/grafana/dashboards/afterword.json from this table.

Every query names metrics of docs/metrics.md (`tests/shape/test_dashboard.py`), and each is asked of a real
Prometheus in `tests/shape/test_promql.py`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = Path("deploy/grafana/dashboards/afterword.json")
_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and how its series are called."""

    expr: str
    legend: str = "__auto"


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: what it asks, in words, and by which queries.

    Attributes:
        kind: timeseries, stat, bargauge or table; Grafana's names.
        unit: Grafana's unit id.
        limits: values from which the colour turns yellow and red; none leaves it green.
        gain: True where more is better, which turns the colours round.
        stacked: lines are parts of a whole.
    """

    title: str
    meaning: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 8
    height: int = 8
    limits: tuple[float, ...] = ()
    stacked: bool = False
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A heading with the panels under it."""

    title: str
    panels: tuple[Panel, ...]


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (increase({metric}[$__rate_interval]))"


def _day(metric: str, where: str = "") -> str:
    return f"sum(increase({metric}{where}[24h]))"


ROWS = (
    Row(
        "Does it work?",
        (
            Panel(
                "Services that answer",
                "Replicas that Prometheus could reach, by service. Zero means nobody is there.",
                (Query("sum by (service_name) (up{job='afterword'})", "{{service_name}}"),),
                kind="stat",
                limits=(-1.0, 1.0),
                width=8,
                height=4,
            ),
            Panel(
                "Oldest unpublished event",
                "How long the oldest outbox row has been waiting for Kafka. It should stay under a minute.",
                (Query("max by (service) (afterword_outbox_oldest_age_seconds)", "{{service}}"),),
                kind="stat",
                unit="s",
                limits=(0.0, 60.0, 300.0),
                width=8,
                height=4,
            ),
            Panel(
                "Dead letters, 24 hours",
                "Events put aside because they cannot be handled. See them with: afterword dlq list.",
                (Query(_day("afterword_dead_letters_total")),),
                kind="stat",
                limits=(0.0, 1.0, 20.0),
                width=8,
                height=4,
                empty="0",
            ),
        ),
    ),
    Row(
        "From event to answer",
        (
            Panel(
                "Decisions",
                "What became of every moment at which somebody could have been asked.",
                (Query(_rate("afterword_trigger_decisions_total", "outcome"), "{{outcome}}"),),
                stacked=True,
            ),
            Panel(
                "Why people were not asked",
                "Reasons of suppressed, deferred and cancelled decisions over the chosen time.",
                (
                    Query(
                        "topk(8, sum by (reason) (increase(afterword_trigger_decisions_total"
                        '{outcome=~"suppressed|deferred|cancelled"}[$__range])))',
                        "{{reason}}",
                    ),
                ),
                kind="bargauge",
            ),
            Panel(
                "Messages",
                "What became of each message: handed over is the provider's word, delivered the mailbox's.",
                (
                    Query(
                        _rate("afterword_dispatch_messages_total", "channel, state"), "{{channel}} {{state}}"
                    ),
                ),
                stacked=True,
            ),
            Panel(
                "Answers",
                "Answers by verdict. Machine answers are held back and counted in no score.",
                (Query(_rate("afterword_collector_answers_total", "verdict"), "{{verdict}}"),),
                stacked=True,
            ),
            Panel(
                "What touched the links",
                "Views, scanner traces and other observations; none of them is an answer.",
                (Query(_rate("afterword_collector_observations_total", "kind"), "{{kind}}"),),
                stacked=True,
            ),
            Panel(
                "Response rate",
                "Answered of those asked. 20 to 30 % is decent, 50 to 60 % a target for account managers.",
                (Query("max by (programme) (afterword_scoring_response_ratio)", "{{programme}}"),),
                unit="percentunit",
            ),
            Panel(
                "Response rate, 30 days",
                "Answered of the surveys sent in the last 30 days, as of now, with the floor and the target.",
                (
                    Query("max by (programme) (afterword_dispatch_response_ratio)", "{{programme}}"),
                    Query("max(afterword_dispatch_response_floor_ratio)", "floor"),
                    Query("max(afterword_dispatch_response_target_ratio)", "target"),
                ),
                unit="percentunit",
                width=16,
            ),
            Panel(
                "What became of surveys, 30 days",
                "From asked for to answered. The page /messages/rates says it of each programme and manager.",
                (
                    Query(
                        "sum by (outcome) ("
                        "max by (programme, channel, outcome) (afterword_dispatch_surveys))",
                        "{{outcome}}",
                    ),
                ),
                kind="bargauge",
            ),
        ),
    ),
    Row(
        "What they said",
        (
            Panel(
                "NPS with its interval",
                "Score of each programme and family, and its 95 % interval; asked on five points it is"
                " a score of its own. No answers, no line.",
                (
                    Query("max by (programme, family) (afterword_scoring_nps)", "{{programme}} ({{family}})"),
                    Query("max by (programme, family) (afterword_scoring_nps_low)", "{{programme}} low"),
                    Query("max by (programme, family) (afterword_scoring_nps_high)", "{{programme}} high"),
                    Query(
                        "max by (programme, family) (afterword_scoring_nps5)",
                        "{{programme}} ({{family}}), five points",
                    ),
                    Query(
                        "max by (programme, family) (afterword_scoring_nps5_low)",
                        "{{programme}} low, five points",
                    ),
                    Query(
                        "max by (programme, family) (afterword_scoring_nps5_high)",
                        "{{programme}} high, five points",
                    ),
                ),
                width=16,
            ),
            Panel(
                "Answers by group",
                "Answers that count now, by metric and group: how the scores come about.",
                (
                    Query(
                        "sum by (metric, group) (max without (instance) (afterword_scoring_answers))",
                        "{{metric}} {{group}}",
                    ),
                ),
                kind="bargauge",
            ),
            Panel(
                "Satisfied and easy",
                "Share of 4 and 5 in CSAT, of 6 and 7 in CES, and its 95 % interval. The two are never one"
                " number.",
                (
                    Query(
                        "max by (programme, family, metric) (afterword_scoring_share_ratio)",
                        "{{programme}} {{metric}} ({{family}})",
                    ),
                    Query(
                        "max by (programme, family, metric) (afterword_scoring_share_low_ratio)",
                        "{{programme}} {{metric}} low",
                    ),
                    Query(
                        "max by (programme, family, metric) (afterword_scoring_share_high_ratio)",
                        "{{programme}} {{metric}} high",
                    ),
                ),
                unit="percentunit",
                width=16,
            ),
            Panel(
                "Held answers",
                "Answers that look machine-made and count nowhere, and those that wait to be judged.",
                (
                    Query("max(afterword_collector_held_responses)", "held"),
                    Query("max(afterword_collector_settling_responses)", "settling"),
                ),
            ),
        ),
    ),
    Row(
        "Closing the loop",
        (
            Panel(
                "Tickets by state",
                "Cases of unhappy customers. Open and acknowledged ones are still waiting for a human voice.",
                (Query("max by (state) (afterword_alerts_tickets)", "{{state}}"),),
                stacked=True,
            ),
            Panel(
                "Opened and breached",
                "New tickets, and clocks that ran out: contact within 24 hours, 48 at the most, resolution.",
                (
                    Query("sum(increase(afterword_alerts_tickets_opened_total[$__rate_interval]))", "opened"),
                    Query(_rate("afterword_alerts_breaches_total", "clock"), "breach {{clock}}"),
                ),
            ),
            Panel(
                "Notices",
                "Whether the people who must know were told. A failed notice means somebody was not.",
                (
                    Query(
                        _rate("afterword_alerts_notices_total", "channel, result"), "{{channel}} {{result}}"
                    ),
                ),
                stacked=True,
            ),
        ),
    ),
    Row(
        "Under the floor",
        (
            Panel(
                "Consumer lag",
                "Records of a topic that a service has yet to handle.",
                (Query("max by (service, topic) (afterword_consumer_lag_records)", "{{service}} {{topic}}"),),
            ),
            Panel(
                "Outbox depth",
                "Events written to PostgreSQL and not yet acknowledged by Kafka.",
                (Query("max by (service) (afterword_outbox_unpublished_rows)", "{{service}}"),),
            ),
            Panel(
                "Records by outcome",
                "What consumers did with each record; duplicates are normal after a restart.",
                (Query(_rate("afterword_consumer_records_total", "outcome"), "{{outcome}}"),),
                stacked=True,
            ),
            Panel(
                "Dead letters by reason",
                "Why events could not be handled, by service and topic.",
                (
                    Query(
                        _rate("afterword_dead_letters_total", "service, topic, reason"),
                        "{{service}} {{topic}} {{reason}}",
                    ),
                ),
                stacked=True,
                width=24,
            ),
        ),
    ),
)


def queries() -> list[tuple[str, str]]:
    """Return every query with the title of its panel, Grafana's variables filled in."""
    return [
        (panel.title, query.expr.replace("$__rate_interval", "5m").replace("$__range", "1h"))
        for row in ROWS
        for panel in row.panels
        for query in panel.queries
    ]


def render() -> str:
    """Return the dashboard as Grafana reads it."""
    return json.dumps(dashboard(), indent=2) + "\n"


def dashboard() -> dict[str, Any]:
    """Lay the panels out, row under row."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row in ROWS:
        panels.append(_heading(row.title, len(panels) + 1, y))
        y += 1
        x = tallest = 0
        for panel in row.panels:
            if x + panel.width > _WIDTH:
                x, y, tallest = 0, y + tallest, 0
            panels.append(_panel(panel, len(panels) + 1, x, y))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return {
        "uid": "afterword",
        "title": "Afterword",
        "description": "Surveys, answers, scores and tickets, and the machinery under them.",
        "tags": ["afterword"],
        "schemaVersion": 41,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": panels,
    }


def _heading(title: str, number: int, y: int) -> dict[str, Any]:
    place = {"h": 1, "w": _WIDTH, "x": 0, "y": y}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "prometheus"}
    instant = panel.kind != "timeseries"
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": source,
        "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y},
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": source,
                "expr": query.expr,
                "legendFormat": query.legend,
                "instant": instant,
                "range": not instant,
            }
            for at, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "color": {"mode": "palette-classic"}}
    if panel.limits:
        colours = ("red", "green") if panel.limits[0] < 0 else ("green", "yellow", "red")
        values = (None, *panel.limits[1:])
        steps = [{"color": colour, "value": value} for colour, value in zip(colours, values, strict=False)]
        defaults["color"] = {"mode": "thresholds"}
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.empty:
        defaults["noValue"] = panel.empty
    if panel.kind == "timeseries":
        mode = "normal" if panel.stacked else "none"
        defaults["custom"] = {
            "drawStyle": "line",
            "fillOpacity": 25 if panel.stacked else 5,
            "lineWidth": 2,
            "showPoints": "never",
            "stacking": {"mode": mode, "group": "A"},
        }
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    calculated = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.kind == "timeseries":
        legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    if panel.kind == "bargauge":
        return {"orientation": "horizontal", "displayMode": "basic", "reduceOptions": calculated}
    return {"colorMode": "background", "graphMode": "none", "textMode": "auto", "reduceOptions": calculated}
