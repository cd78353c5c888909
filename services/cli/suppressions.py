"""`afterword suppressions`: who is not written to, and why."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, opened
from services.dispatch.domain.recipient import Recipient
from services.dispatch.domain.stop_list import (
    BY_HAND,
    SHAPE,
    Entry,
    Grounds,
    read_list,
    reason_in,
    recipient_in,
    source_in,
)
from services.dispatch.handlers.stop_list import StopList
from services.dispatch.store.stop_list import Row
from shared.contracts.reasons import Reason
from shared.tables import cells
from shared.web.exports import plain

app = typer.Typer(no_args_is_help=True)
console = Console()
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]
Whom = Annotated[str, typer.Argument(help="An e-mail address or an international number.")]
SHOWN = 50


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with email or phone.")],
    source: Annotated[str, typer.Option(help="Where the list comes from, for lines that do not say.")],
    reason: Annotated[str, typer.Option(help="Why, for lines that do not say.")] = "opted_out",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the file, change nothing.")] = False,
    data: DataDir = DATA_DIR,
) -> None:
    """Add a list. Repeating is fine: what is known stays. Exit code 1 when some lines cannot be used."""
    lines = list(read_list(file.read_text(encoding="utf-8"), reason, source))
    wrong = [line for line in lines if line.entry is None]
    for line in wrong[:SHOWN]:
        console.print(f"[red]line {line.number}[/]: {line.problem}", highlight=False)
    if len(wrong) > SHOWN:
        console.print(f"and {len(wrong) - SHOWN} more", highlight=False)
    entries = [line.entry for line in lines if line.entry]
    added = 0 if dry_run else asyncio.run(_enter(entries, data))
    what = "would be taken" if dry_run else f"used: {added} added, {len(entries) - added} known"
    console.print(f"{len(entries)} lines {what}; {len(wrong)} cannot be used.", highlight=False)
    if wrong:
        raise typer.Exit(1)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="CSV file to write.")], data: DataDir = DATA_DIR
) -> None:
    """Write the whole list. It names contacts by id and addresses by their keyed hash, never in clear."""
    console.print(f"{asyncio.run(_export(file, data))} entries in {file}.", highlight=False)


@app.command()
def add(
    whom: Whom,
    reason: Annotated[str, typer.Option(help="opted_out, bounced or invalid_address.")] = "opted_out",
    source: Annotated[str, typer.Option(help="How it became known.")] = BY_HAND,
    data: DataDir = DATA_DIR,
) -> None:
    """Write to an address no more."""
    try:
        entry = Entry(_recipient(whom), "address", reason_in(reason), source_in(source))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    console.print("Added." if asyncio.run(_enter([entry], data)) else "It was on the list already.")


@app.command()
def lift(
    whom: Whom,
    agreed_at: Annotated[
        datetime | None, typer.Option(help="When the person agreed (UTC); needed after they said stop.")
    ] = None,
    *,
    mistake: Annotated[bool, typer.Option("--mistake", help="It was typed in wrongly.")] = False,
    data: DataDir = DATA_DIR,
) -> None:
    """Take an address off the list; the former entry is kept. Exit code 1 when something still stands."""
    recipient = _recipient(whom)
    agreed = agreed_at.replace(tzinfo=UTC) if agreed_at else None

    async def job() -> tuple[int, list[Row]]:
        async with opened("dispatch", data) as platform:
            known = StopList(platform.db, platform.sealer)
            gone = 0
            for row in await known.about(recipient):
                grounds = _grounds(row, agreed, mistake=mistake)
                gone += await known.lift(row, grounds, agreed if grounds is Grounds.AGREED else None)
            return gone, await known.about(recipient)

    gone, left = asyncio.run(job())
    console.print(f"{gone} entries lifted.", highlight=False)
    if left:
        console.print(_table(left))
        console.print(
            "These stay. An address that said stop needs --agreed-at, or --mistake when one of you typed it "
            "in; a contact's own stop ends with a consent of theirs (consent and consent_at of a "
            "touchpoint); what was erased stays.",
            highlight=False,
        )
        raise typer.Exit(1)


@app.command()
def show(whom: Whom, data: DataDir = DATA_DIR) -> None:
    """Say why an address is not written to. Exit code 1 when nothing keeps it from that."""
    recipient = _recipient(whom)

    async def job() -> list[Row]:
        async with opened("dispatch", data) as platform:
            return await StopList(platform.db, platform.sealer).about(recipient)

    found = asyncio.run(job())
    console.print(_table(found) if found else "It is not on the list.")
    if not found:
        raise typer.Exit(1)


async def _enter(entries: Sequence[Entry], data: Path) -> int:
    async with opened("dispatch", data) as platform:
        return await StopList(platform.db, platform.sealer).enter(entries)


async def _export(file: Path, data: Path) -> int:
    count = 0
    async with opened("dispatch", data) as platform:
        with file.open("w", encoding="utf-8", newline="") as sink:
            writer = csv.writer(sink)
            writer.writerow([column.name for column in SHAPE])
            async for entries in StopList(platform.db, platform.sealer).everything():
                count += len(entries)
                writer.writerows([plain(cell) for cell in cells(entry, SHAPE)] for entry in entries)
    return count


def _grounds(row: Row, agreed: datetime | None, *, mistake: bool) -> Grounds:
    if mistake:
        return Grounds.MISTAKE
    return Grounds.AGREED if agreed and row.reason == Reason.OPTED_OUT else Grounds.WORKS_AGAIN


def _recipient(text: str) -> Recipient:
    found = recipient_in(text)
    if found is None:
        raise typer.BadParameter("neither one plain e-mail address nor an international number")
    return found


def _table(rows: Sequence[Row]) -> Table:
    table = Table("what", "programme", "reason", "source", "since")
    for row in rows:
        table.add_row(row.kind, row.programme or "all", row.reason, row.via, f"{row.noted_at:%Y-%m-%d %H:%M}")
    return table
