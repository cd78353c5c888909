"""A backtest on the terminal: what a programme's owner looks at first; page and JSON have the rest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import ceil

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.trigger.domain.backtest.report import BacktestReport, Cut, Load, Outcome, ProgrammeFigures
from services.trigger.domain.backtest.summing import spans, worth_telling
from shared.contracts.model import Persona, Tier

REASONS, HEAVIEST, BROKEN = 12, 5, 20
BARS = " ▁▂▃▄▅▆▇█"


def show(console: Console, report: BacktestReport) -> None:
    """Print it."""
    source = report.source
    console.print(
        f"{source.events:,} events of {source.file}, "
        f"counted from {source.counted_from:%Y-%m-%d} to {source.counted_to:%Y-%m-%d}; "
        f"{source.contacts:,} people of {source.accounts:,} accounts.",
        highlight=False,
    )
    for outcome in report.sets:
        _set(console, report, outcome)
    if report.differences:
        console.print(_differences(report))
    _broken(console, report)
    console.print("\nWhat this cannot know", style="bold")
    for line in report.unknown:
        console.print(f"  · {line}", style="dim", highlight=False)


def _set(console: Console, report: BacktestReport, outcome: Outcome) -> None:
    tickets, people, accounts = outcome.tickets, outcome.people, outcome.accounts
    console.print(f"\n{outcome.name}", style="bold cyan", highlight=False)
    busiest = f" ({tickets.busiest_day})" if tickets.busiest_day else ""
    say = partial(console.print, highlight=False)
    say(f"  {outcome.invited:,} invitations, at most {outcome.reminders:,} reminders;", end=" ")
    say(
        f"of {outcome.planned:,} planned {outcome.not_asked:,} never asked, {outcome.still_waiting:,} waiting"
    )
    say(f"  {people.asked:,} of {people.known:,} people asked, {people.mean:.2g} times each,", end=" ")
    say(f"at most {people.most}; {accounts.asked:,} of {accounts.known:,} accounts, at most {accounts.most}")
    say(
        f"  {tickets.expected:,.0f} tickets expected, at most {tickets.on_busiest_day:.3g} a day{busiest};",
        end=" ",
    )
    say(f"{tickets.days_over_capacity} of {tickets.days} days above {report.assumptions.capacity:g}")
    _days(console, report, outcome)
    console.print(_programmes(outcome))
    console.print(_reasons(outcome) if outcome.reasons else "Nobody was held back.")
    if outcome.precision:
        console.print(_precision(outcome))
    _heaviest(console, "people", people)
    _heaviest(console, "accounts", accounts)


def _days(console: Console, report: BacktestReport, outcome: Outcome) -> None:
    """Invitations and expected tickets over time, a sign each day or week."""
    drawn = spans(outcome.days)
    span = "day" if len(drawn) == len(outcome.days) else "week"
    sent = [sum(day.invitations for day in days) for days in drawn]
    tickets = [max(day.tickets for day in days) for days in drawn]
    busiest = drawn[sent.index(max(sent))][0].day
    most = f"at most {max(sent):,}, {'on' if span == 'day' else 'in the week from'} {busiest}"
    most = most if any(sent) else "none"
    rota = f"at most {max(tickets):.3g}; the rota takes {report.assumptions.capacity:g}"
    for what, values, said in (
        (f"invitations by {span} from {outcome.days[0].day}", sent, most),
        ("expected tickets" if span == "day" else "tickets, each week's busiest day", tickets, rota),
    ):
        console.print(f"\n  {what}: {said}", highlight=False)
        console.print(f"  {_bars(values)}", style="cyan", highlight=False)


def _bars(values: Sequence[float]) -> str:
    """A sign for each value, as high as it is; only what is nothing has none."""
    most = max(values) or 1
    return "".join(BARS[ceil(value / most * (len(BARS) - 1))] for value in values)


def _heaviest(console: Console, who: str, load: Load) -> None:
    if load.heaviest:
        most = ", ".join(f"{one.name} ({one.invitations})" for one in load.heaviest[:HEAVIEST])
        console.print(f"  {who} asked most: {most}", highlight=False)


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _programmes(outcome: Outcome) -> Table:
    table = _table("Programmes", "programme", "planned", "invited", "not asked", "waits")
    table.add_column("mostly")
    for one in outcome.programmes:
        why = one.mostly.words if one.mostly else "" if one.planned else "no event called for it"
        table.add_row(
            Text.assemble(one.key, (f" {_asks(one)}{' shadow' if one.shadow else ''}", "dim")),
            f"{one.planned:,}",
            f"{one.invited:,}", f"{one.not_asked:,}", f"{one.still_waiting:,}", why,
        )  # fmt: skip
    return table


def _asks(one: ProgrammeFigures) -> str:
    return one.asks.upper().replace("_", " ")


def _precision(outcome: Outcome) -> Table:
    """Half the width of each 95 % interval, for all, by tier and by persona; owners and regions are many."""
    segments = [*((Cut.TIER, tier.value) for tier in Tier), *((Cut.PERSONA, one.value) for one in Persona)]
    columns = [value.replace("_", " ") for _, value in segments]
    table = _table(
        "How exact the scores would be: give or take, in points", "programme", "answers", "all", *columns
    )
    margins = {(one.programme, one.cut, one.value): one.margin for one in outcome.precision}
    for whole in outcome.precision:
        if whole.cut is None:
            found = [margins.get((whole.programme, *one)) for one in [(None, ""), *segments]]
            told = ["-" if margin is None else f"{margin:.1f}" for margin in found]
            named = Text.assemble(whole.programme, (f" {whole.metric.upper()}", "dim"))
            table.add_row(named, f"{whole.answers:,}", *told)
    return table


def _reasons(outcome: Outcome) -> Table:
    table = _table("Asked later, or not at all", "because", "later", "never", "left out")
    for one in outcome.reasons[:REASONS]:
        table.add_row(one.words, f"{one.waited:,}", f"{one.not_asked:,}", f"{one.not_planned:,}")
    return table


def _differences(report: BacktestReport) -> Table:
    here, there = report.sets
    table = _table("What is different", "what", here.name, there.name, "difference")
    for one in worth_telling(report):
        what = f"{one.programme}: {one.what}" if one.programme else one.what
        table.add_row(what, f"{one.here:,g}", f"{one.there:,g}", f"{one.change:+,g}")
    return table


def _broken(console: Console, report: BacktestReport) -> None:
    if not report.source.broken:
        return
    lines = "line" if report.source.broken == 1 else "lines"
    console.print(f"\n{report.source.broken} {lines} could not be used.", style="red", highlight=False)
    for one in report.problems[:BROKEN]:
        where = f"line {one.line}" + (f", {one.field}" if one.field else "")
        console.print(Text.assemble((f"  {where}:", "red"), f" {one.reason}"))
