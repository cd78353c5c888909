"""A backtest on the terminal: what a programme's owner looks at first; page and JSON have the rest."""

from __future__ import annotations

from functools import partial

from rich import box
from rich.console import Console
from rich.table import Table

from services.trigger.domain.backtest.report import BacktestReport, Outcome

REASONS, HEAVIEST, BROKEN = 12, 5, 20


def show(console: Console, report: BacktestReport) -> None:
    """Print it."""
    source = report.source
    console.print(
        f"[bold]{source.events:,}[/] events of {source.file}, counted from {source.counted_from:%Y-%m-%d} to "
        f"{source.counted_to:%Y-%m-%d}; {source.contacts:,} people of {source.accounts:,} accounts.",
        highlight=False,
    )
    for outcome in report.sets:
        _set(console, report, outcome)
    if report.differences:
        console.print(_differences(report))
    _broken(console, report)
    console.print("\n[bold]What this cannot know[/]")
    for line in report.unknown:
        console.print(f"  [dim]· {line}[/]", highlight=False)


def _set(console: Console, report: BacktestReport, outcome: Outcome) -> None:
    tickets, people, accounts = outcome.tickets, outcome.people, outcome.accounts
    console.print(f"\n[bold cyan]{outcome.name}[/]", highlight=False)
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
    console.print(_programmes(outcome), _reasons(outcome), sep="\n")
    if people.heaviest:
        most = ", ".join(f"{one.name} ({one.invitations})" for one in people.heaviest[:HEAVIEST])
        console.print(f"  asked most: {most}", highlight=False)


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _programmes(outcome: Outcome) -> Table:
    table = _table("Programmes", "programme", "planned", "invited", "not asked", "waits", "answers", "margin")
    exact = {one.programme: one for one in outcome.precision if one.tier is None}
    for one in outcome.programmes:
        found = exact.get(one.key)
        margin = f"{found.margin:.1f}" if found and found.margin is not None else "-"
        table.add_row(
            f"{one.key} [dim]{one.asks.upper()}{' shadow' if one.shadow else ''}[/]", f"{one.planned:,}",
            f"{one.invited:,}", f"{one.not_asked:,}", f"{one.still_waiting:,}",
            f"{found.answers:,}" if found else "-", margin,
        )  # fmt: skip
    return table


def _reasons(outcome: Outcome) -> Table:
    table = _table("Asked later, or not at all", "because", "later", "never", "left out")
    for one in outcome.reasons[:REASONS]:
        table.add_row(one.words, f"{one.waited:,}", f"{one.not_asked:,}", f"{one.not_planned:,}")
    return table


def _differences(report: BacktestReport) -> Table:
    here, there = report.sets
    table = _table("What is different", "what", here.name, there.name, "difference")
    for one in report.differences:
        what = f"{one.programme}: {one.what}" if one.programme else one.what
        table.add_row(what, f"{one.here:,g}", f"{one.there:,g}", f"{one.change:+,g}")
    return table


def _broken(console: Console, report: BacktestReport) -> None:
    if not report.source.broken:
        return
    console.print(f"\n[red]{report.source.broken} lines could not be used.[/]", highlight=False)
    for one in report.problems[:BROKEN]:
        where = f"line {one.line}" + (f", {one.field}" if one.field else "")
        console.print(f"  [red]{where}:[/] {one.reason}", highlight=False)
