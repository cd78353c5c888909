"""`afterword programmes`: are the files fit to run, and what do they say?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.trigger.domain.findings import Checked, Report, Severity
from services.trigger.domain.lint import check
from services.trigger.worker.publisher import read_folder

app = typer.Typer(no_args_is_help=True)
console = Console()

DEFAULT = Path("programmes")
LOCALES = ("en", "es", "sv")


@app.command("check")
def check_command(
    folder: Annotated[Path, typer.Argument(help="Folder of programme files.")] = DEFAULT,
    locale: Annotated[
        list[str] | None, typer.Option(help="Language that every text needs; repeat it.")
    ] = None,
) -> None:
    """Read every programme and say what is wrong, where, and what to do.

    Exit code 1 when there are errors.
    """
    report = _report(folder, tuple(locale or LOCALES))
    for finding in report.findings:
        colour = "red" if finding.severity is Severity.ERROR else "yellow"
        where = f"{finding.file}:{finding.line}"
        console.print(
            f"[{colour} bold]{finding.severity}[/] [bold]{where}[/] [cyan]{finding.path}[/]", highlight=False
        )
        console.print(f"  {finding.reason} ", f"[dim]{finding.what_to_do}[/]", sep="", highlight=False)
    warnings = len(report.findings) - len(report.errors)
    count = f"{len(report.programmes)} programmes, {len(report.errors)} errors, {warnings} warnings."
    console.print(f"[{'red' if report.errors else 'green'}]{count}[/]", highlight=False)
    if report.errors:
        raise typer.Exit(1)


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="The programme's key.")],
    folder: Annotated[Path, typer.Option("--folder", help="Folder of programme files.")] = DEFAULT,
) -> None:
    """Say in plain words what a programme does."""
    found = [c for c in _report(folder, LOCALES).programmes if c.edition.key == key]
    if not found:
        console.print(f"[red]There is no readable programme {key!r} in {folder}.[/]", highlight=False)
        raise typer.Exit(1)
    console.print(_card(found[0]))


def _report(folder: Path, locales: tuple[str, ...]) -> Report:
    files = read_folder(folder) if folder.is_dir() else []
    if not files:
        console.print(f"[red]There is no programme file (*.yaml) in {folder}.[/]", highlight=False)
        raise typer.Exit(1)
    return check(files, locales)


def _card(checked: Checked) -> Table:
    rules = checked.edition.programme
    when = rules.when
    moment = (
        f"{when.by.text} before {when.before}"
        if when.before
        else f"{when.delay.text} after {', '.join(when.touchpoint)}"
    )
    send = rules.send
    window = (
        send.window if isinstance(send.window, str) else f"{', '.join(send.window.days)} {send.window.hours}"
    )
    reminders = ", ".join(reminder.after.text for reminder in send.reminders) or "none"
    budget = rules.quarantine.account
    rows = {
        "file": checked.file,
        "edition": f"{checked.edition.version} ({rules.state})",
        "family": rules.family,
        "asks": f"{rules.core.type}: {rules.core.text.get('en', next(iter(rules.core.text.values())))}",
        "when": f"{moment}, once per {when.per}; no later than {when.fresh_for.text} after that",
        "called off by": ", ".join(when.ends_on) or "nothing",
        "waits for": ", ".join(when.holds) or "nothing",
        "who": f"{rules.audience.who}: {', '.join(rules.audience.persona) or 'everybody'}",
        "send": f"{', '.join(send.channels)}; {window}; reminders {reminders}",
        "open for": send.open_for.text,
        "not again within": rules.quarantine.contact.text
        + (f"; per account {budget.max} within {budget.per.text}" if budget else ""),
        "priority": str(rules.priority),
        "unhappy": f"{rules.primary} at or below {rules.low_mark}",
    }
    table = Table(
        title=f"{checked.edition.key}: {rules.title.get('en', '')}", show_header=False, title_justify="left"
    )
    table.add_column(style="bold")
    table.add_column()
    for name, text in rows.items():
        table.add_row(name, text)
    return table
