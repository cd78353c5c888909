"""A backtest as one page that needs nothing else: style, charts and tables are in it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from services.trigger.domain.backtest.report import BacktestReport, Load, Outcome
from services.trigger.domain.backtest.summing import spans, worth_telling
from services.trigger.pages.view import ENVIRONMENT
from shared.web import charts
from shared.web.static import FILES

Bars = list[tuple[str, float]]


def page_of(report: BacktestReport) -> str:
    """The report as HTML, in English as everything of the command line."""
    views = [_view(report, outcome) for outcome in report.sets]
    style = FILES["afterword.css"].body.decode()
    context = {
        "report": report,
        "views": views,
        "weekly": any(len(spans(one.days)) < len(one.days) for one in report.sets),
        "differences": worth_telling(report),
        "style": Markup(style),  # noqa: S704 - our own file
        "rate": report.assumptions,
    }
    return ENVIRONMENT.get_template("backtest.html").render(context)


def _view(report: BacktestReport, outcome: Outcome) -> dict[str, Any]:
    """One set with its charts."""
    drawn = [(f"{days[0].day:%-d %b}", days) for days in spans(outcome.days)]
    weekly = len(drawn) < len(outcome.days)
    invitations: Bars = [(label, sum(day.invitations for day in days)) for label, days in drawn]
    tickets: Bars = [(label, max(day.tickets for day in days)) for label, days in drawn]
    period = "Week from" if weekly else "Day"
    capacity = report.assumptions.capacity
    over = outcome.tickets.days_over_capacity
    peaks = "on the busiest day of each week" if weekly else "by day"
    return {
        "outcome": outcome,
        "invitations": charts.columns(
            invitations,
            charts.Words(
                f"Invitations by {'week' if weekly else 'day'}, {outcome.name}",
                f"{outcome.invited} invitations in {len(outcome.days)} days.",
                period=period,
                value="Invitations",
                nothing="Nobody would have been invited.",
            ),
        ),
        "tickets": charts.columns(
            tickets,
            charts.Words(
                f"Expected tickets {peaks}, {outcome.name}",
                f"At most {outcome.tickets.on_busiest_day:g} on one day; {over} days above {capacity:g}.",
                period=period,
                value="Tickets",
                nothing="No ticket is expected.",
            ),
            (f"capacity {capacity:g}", capacity),
        ),
        "people": _spread(outcome.people, f"People by invitations, {outcome.name}", "People"),
        "accounts": _spread(outcome.accounts, f"Accounts by invitations, {outcome.name}", "Accounts"),
        "precision": [one for one in outcome.precision if one.cut is None],
        "segments": [one for one in outcome.precision if one.cut is not None],
    }


def _spread(load: Load, title: str, what: str) -> Markup:
    """How many were asked how often; those never asked are told beside, they would flatten the rest."""
    counts = [
        (bucket.invitations, bucket.count, "bar") for bucket in load.distribution if bucket.invitations != "0"
    ]
    words = charts.Words(
        title,
        f"{load.asked} of {load.known} were asked, at most {load.most} times.",
        value="Invitations",
        note=what,
        nothing="Nobody would have been invited.",
    )
    return charts.histogram(counts, words)
