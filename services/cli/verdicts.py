"""`afterword verdicts`: why an answer was taken for a person's or a machine's, and judging the past anew."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, opened
from services.collector.domain.verdict import RULES
from services.collector.handlers.verdicts import Change, Verdicts

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]
FIRST = UUID(int=0)


@app.command()
def show(
    survey: Annotated[UUID, typer.Argument(help="The survey's id, as `/why` and tickets show it.")],
    data: DataDir = DATA_DIR,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what was seen of a survey's link and why each version of its answer was judged so."""

    async def job() -> dict[str, Any] | None:
        async with opened("collector", data) as platform:
            return await Verdicts(platform.db).explain(survey)

    found = asyncio.run(job())
    if found is None:
        console.print("There is no answer to this survey.")
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _tell(found)


@app.command()
def rejudge(
    survey: Annotated[UUID | None, typer.Option(help="One survey alone.")] = None,
    data: DataDir = DATA_DIR,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without, it is only shown.")] = False,
) -> None:
    """Judge stored observations by today's rules and show what that changes; `--apply` releases and retracts.

    Scores and tickets follow by the ordinary events, as soon as the collector runs. Doing it twice changes
    nothing more; who did it stands in the audit log.
    """

    async def job() -> tuple[int, list[Change]]:
        surveys, changes, after = 0, list[Change](), FIRST
        async with opened("collector", data) as platform:
            verdicts = Verdicts(platform.db)
            while True:
                looked = await (
                    verdicts.apply(after, "cli", survey) if apply else verdicts.look(after, survey)
                )
                surveys, changes = surveys + looked.surveys, changes + list(looked.changes)
                if looked.last is None or survey is not None:
                    return surveys, changes
                after = looked.last

    surveys, changes = asyncio.run(job())
    _tell_changes(changes)
    console.print(f"{surveys} surveys judged by rules {RULES}: {len(changes)} would change." if not apply
                  else f"{surveys} surveys judged by rules {RULES}: {len(changes)} queued.")  # fmt: skip
    if changes and not apply:
        console.print("Nothing was changed; `--apply` does it.")


def _tell(found: dict[str, Any]) -> None:
    console.print(f"Survey {found['survey_id']}: {found['state']}; handed over {found['handed_over'] or '?'}")
    seen = Table("at", "what", "score", "program", "visitor")
    for one in found["observations"]:
        score = "" if one["score"] is None else str(one["score"])
        seen.add_row(one["at"], one["kind"], score, one["agent"], str(one["visitor"]))
    console.print(seen)
    for answer in found["answers"]:
        for when in ("judged", "today"):
            judged = answer[when]
            if judged is None or (when == "today" and _same(answer)):
                continue
            rules = judged.get("rules", found["rules"])
            console.print(
                f"Version {answer['version']} of {answer['received_at']} by visitor {answer['visitor']}: "
                f"{judged['verdict']} ({judged['points']} points, rules {rules})"
            )
            for reason in judged["evidence"]:
                console.print(f"  {reason['points']:+d} {reason['name']}: {reason['meaning']}")
        if answer["released_by"]:
            console.print("  A user vouched for it: it counts.")


def _same(answer: dict[str, Any]) -> bool:
    before = answer["judged"]
    return before is not None and before["verdict"] == answer["today"]["verdict"]


def _tell_changes(changes: list[Change]) -> None:
    if not changes:
        return
    table = Table("survey", "version", "was", "becomes", "because", "events")
    for change in changes:
        for turn in change.turns:
            reasons, events = ", ".join(turn.evidence) or "-", ", ".join(change.says) or "-"
            table.add_row(str(change.survey_id), str(turn.version), turn.before, turn.after, reasons, events)
    console.print(table)
    sums = Counter(say for change in changes for say in change.says)
    console.print("Events: " + (", ".join(f"{say} {n}" for say, n in sorted(sums.items())) or "none"))
