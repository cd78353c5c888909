"""`python -m tests.chaos.audit`: read what a run left behind, and name every promise that was broken."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.chaos import journal
from tests.chaos.audit.examine import examine
from tests.chaos.audit.sources import read_mails, read_records
from tests.chaos.evidence import BrokerLog, Evidence, Report

_FILE = typer.Option(exists=True, dir_okay=False)


def main(  # noqa: PLR0913 - one parameter for each option
    database: Annotated[str, typer.Option(help="Address of the database; a role that may read all schemas.")],
    journals: Annotated[list[Path] | None, _FILE] = None,
    mailbox: Annotated[Path | None, typer.Option(exists=True, file_okay=False)] = None,
    kafka: Annotated[str, typer.Option(help="Bootstrap servers of the broker.")] = "",
    births: Annotated[int, typer.Option(help="How often the broker began without data.")] = 1,
    logs: Annotated[list[Path] | None, _FILE] = None,
    *,
    busy: Annotated[bool, typer.Option(help="The system is at work; hold it to less.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Audit a deployment; ends with 1 when anything is wrong."""
    evidence = Evidence(
        dsn=database,
        journal=journal.read(*journals) if journals else None,
        mails=read_mails(mailbox) if mailbox else None,
        log=BrokerLog(asyncio.run(read_records(kafka)), births) if kafka else None,
        logs=logs or (),
        at_rest=not busy,
    )
    report = asyncio.run(examine(evidence))
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2))
    else:
        show(Console(), report)
    raise typer.Exit(0 if report.clean else 1)


def show(console: Console, report: Report) -> None:
    """Say it to a person: what is wrong first, then what was not looked at."""
    if report.anomalies:
        table = Table("anomaly", "promise", "times", "what it means", "first of them", title="Broken")
        for one in report.anomalies:
            table.add_row(one.name, one.invariant, str(one.count), one.meaning, "\n".join(one.ids[:5]))
        console.print(table)
    if report.unchecked:
        table = Table("check", "promise", "why", title="Not checked")
        for gap in report.unchecked:
            table.add_row(gap.name, gap.invariant, gap.why)
        console.print(table)
    told = f"{len(report.anomalies)} anomalies" if report.anomalies else "no anomaly"
    console.print(
        f"{told} in {len(report.checked)} checks over {report.rows} rows, {report.seconds:.1f} s;"
        f" {len(report.unchecked)} not checked"
    )


if __name__ == "__main__":
    typer.run(main)
