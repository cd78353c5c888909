"""`afterword incentives`: what was promised to whoever answers, what is still to be given, and what was."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, opened
from services.collector.domain.incentives import COLUMNS, WORDS, Given, Outcome, Refusal, State
from services.collector.handlers.incentives import Incentives
from services.collector.handlers.listing import END, START
from services.collector.store.incentives import Counts, Filters
from shared.tables import cells
from shared.web.exports import plain

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]
Stand = Annotated[State | None, typer.Option("--state", help="Only those that stand so.")]
Programme = Annotated[str, typer.Option(help="Of this programme alone, by its key.")]
Survey = Annotated[UUID, typer.Argument(help="The survey's id, as `list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
ACTOR = "cli"
SHOWN = 100


@app.command("list")
def list_command(
    state: Stand = State.EARNED,
    programme: Programme = "",
    data: DataDir = DATA_DIR,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what was earned and not given yet, who waits longest first; `--state` shows the others."""

    async def job() -> list[dict[str, Any]]:
        async with opened("collector", data) as platform:
            page = await Incentives(platform.db).page(Filters(state, programme), START, SHOWN)
        return page.items

    found = asyncio.run(job())
    if as_json:
        typer.echo(json.dumps(found, default=str))
        return
    if not found:
        console.print("There is none.")
        return
    for one in found:  # no table: a narrow terminal would cut the id, which `redeem` asks for
        given = f", reference {one['reference']}" if one["reference"] else ""
        who = one["account_name"] or one["contact_id"] or "erased"
        head = f"{one['survey_id']}  {one['state']} since {one['since']:%Y-%m-%d %H:%M}{given}"
        console.print(head, highlight=False, soft_wrap=True)
        console.print(f"  {one['programme']}, {who}: {one['promise']}", highlight=False, soft_wrap=True)
    if len(found) == SHOWN:
        console.print(f"These are the first {SHOWN}; `export` writes all of them.")


@app.command()
def counts(data: DataDir = DATA_DIR, *, as_json: AsJson = False) -> None:
    """Show how many were promised, earned and given, by programme; `earned` are still to be given."""

    async def job() -> list[Counts]:
        async with opened("collector", data) as platform:
            return await Incentives(platform.db).counts()

    found = [asdict(one) for one in asyncio.run(job())]
    if as_json:
        typer.echo(json.dumps(found))
    elif found:
        table = Table(*found[0])
        for one in found:
            table.add_row(*map(str, one.values()))
        console.print(table)
    else:
        console.print("Nothing was promised.")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="CSV file to write.")],
    state: Stand = None,
    programme: Programme = "",
    data: DataDir = DATA_DIR,
) -> None:
    """Write incentives as CSV: all of them, or those that stand so."""
    count = asyncio.run(_export(file, Filters(state, programme), data))
    console.print(f"{count} incentives in {file}.", highlight=False)


@app.command()
def redeem(
    survey: Survey,
    reference: Annotated[str, typer.Option(help="Number of what was given, in the giver's system.")] = "",
    at: Annotated[datetime | None, typer.Option(help="When it was given (UTC); else now.")] = None,
    data: DataDir = DATA_DIR,
) -> None:
    """Record that it was given. Repeating is fine; exit code 1 when it cannot be recorded, and why."""
    given_at = at.replace(tzinfo=UTC) if at else None

    async def job() -> Outcome:
        async with opened("collector", data) as platform:
            return await Incentives(platform.db).record(survey, given_at, reference, ACTOR)

    outcome = asyncio.run(job())
    if isinstance(outcome, Refusal):
        console.print(" ".join(WORDS[outcome]), style="red", highlight=False)
        raise typer.Exit(1)
    console.print("Recorded." if isinstance(outcome, Given) else "It was recorded before.")


@app.command("take-back")
def take_back_command(survey: Survey, data: DataDir = DATA_DIR) -> None:
    """Record that it was not given after all."""

    async def job() -> bool:
        async with opened("collector", data) as platform:
            return await Incentives(platform.db).take_back(survey, ACTOR)

    console.print("Taken back." if asyncio.run(job()) else "Nothing was recorded as given for this survey.")


@app.command()
def refusals(data: DataDir = DATA_DIR) -> None:
    """Show what could not be recorded as given, and why; the newest first."""

    async def job() -> list[dict[str, Any]]:
        async with opened("collector", data) as platform:
            return await Incentives(platform.db).refusals(END, SHOWN)

    found = asyncio.run(job())
    for one in found:
        times = f", {one['times']} times" if one["times"] > 1 else ""
        told = f" (reference {one['reference']})" if one["reference"] else ""
        console.print(f"{one['last_at']:%Y-%m-%d %H:%M}{times}  {one['survey_id']}{told}", highlight=False)
        console.print(f"  {' '.join(WORDS[Refusal(one['reason'])])}", highlight=False)
    console.print(f"{len(found)} refusals." if found else "Nothing was refused.")


async def _export(file: Path, wanted: Filters, data: Path) -> int:
    count = 0
    async with opened("collector", data) as platform:
        with file.open("w", encoding="utf-8", newline="") as sink:
            writer = csv.writer(sink)
            writer.writerow([column.name for column in COLUMNS])
            async for items in Incentives(platform.db).every(wanted):
                count += len(items)
                writer.writerows(_row(item) for item in items)
    return count


def _row(item: dict[str, Any]) -> Sequence[object]:
    return [plain(cell) for cell in cells(item, COLUMNS)]
