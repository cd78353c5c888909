"""`afterword sources`: is `sources.yaml` fit to run, and what does it make of a record?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from services.trigger.domain.reports import Report
from services.trigger.sources.check import read_sources
from services.trigger.sources.definition import Sources
from services.trigger.sources.mapping import read_record
from services.trigger.webhooks.body import BadBodyError
from shared.bus.model import Record
from shared.errors import Undecodable

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DEFAULT = Path("sources.yaml")
File = Annotated[Path, typer.Option("--file", help="The file that names the sources.")]


@app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(help="The file that names the sources.")] = DEFAULT,
) -> None:
    """Read the file and say what is wrong, where, and what to do. Exit code 1 when something is."""
    sources = _read(file)
    rules = sum(len(source.events) for source in sources.sources)
    count = f"{len(sources.sources)} sources, {len(sources.topics)} topics, {rules} rules, 0 errors."
    console.print(f"{count}", style="green", highlight=False)


@app.command("try")
def try_command(
    topic: Annotated[str, typer.Argument(help="The topic that the record stands in.")],
    record: Annotated[Path, typer.Argument(help="A file with the record's value; - reads standard input.")],
    file: File = DEFAULT,
) -> None:
    """Show what one record becomes, without sending it anywhere."""
    sources = _read(file)
    if topic not in sources.topics:
        console.print(f"{file} does not read {topic}; it reads {', '.join(sources.topics)}.", style="red")
        raise typer.Exit(1)
    value = typer.get_binary_stream("stdin").read() if str(record) == "-" else record.read_bytes()
    headers = (("content-type", b"application/cloudevents+json"),)
    try:
        reports = read_record(sources.of(topic), Record(topic, 0, 0, None, value, headers, 0))
    except (BadBodyError, Undecodable) as error:
        console.print(Text.assemble(("It would be put aside:", "red"), f" {error}"))
        raise typer.Exit(1) from None
    if not reports:
        console.print("It would be ignored: no rule fits.")
    for report in reports:
        console.print_json(json.dumps(_shown(report)))


def _shown(report: Report) -> dict[str, object]:
    touchpoint = report.touchpoint.model_dump(mode="json", exclude_defaults=True)
    missing = asdict(report.gap) if report.gap else None
    return {"id": report.id, "type": report.type, **touchpoint, **({"missing": missing} if missing else {})}


def _read(file: Path) -> Sources:
    if not file.is_file():
        console.print(f"There is no file {file}.", style="red", highlight=False)
        raise typer.Exit(1)
    sources, findings = read_sources(file.name, file.read_text(encoding="utf-8"))
    for finding in findings:
        where = f"{finding.file}:{finding.line}"
        at = ((finding.severity, "red bold"), " ", (where, "bold"), " ", (finding.path, "cyan"))
        console.print(Text.assemble(*at))
        console.print(Text.assemble(f"  {finding.reason.rstrip('.')}. ", (finding.what_to_do, "dim")))
    if sources is None:
        console.print(f"{len(findings)} errors.", style="red", highlight=False)
        raise typer.Exit(1)
    return sources
