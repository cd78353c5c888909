"""`afterword dlq`: records that were put aside, with their reason; mended, they are replayed once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, SERVICES, opened
from shared.runtime.deadletters import find, listed, replay
from shared.runtime.outbox import load_headers

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]
Service = Annotated[str, typer.Argument(help="The service that put it aside.")]
Number = Annotated[int, typer.Argument(help="Its number in `afterword dlq list`.")]


@app.command("list")
def list_letters(
    limit: Annotated[int, typer.Option(help="How many of each service, newest first.")] = 20,
    data: DataDir = DATA_DIR,
) -> None:
    """Show what was put aside, and why."""

    async def job() -> Table:
        table = Table("service", "no", "type", "event", "reason", "replayed")
        for service in SERVICES:
            async with opened(service, data) as platform, platform.db.read() as conn:
                for row in await listed(conn, limit):
                    replayed = row["replayed_at"].isoformat(timespec="seconds") if row["replayed_at"] else ""
                    reason = f"{row['error']}: {row['reason'][:120]}"
                    event = (row["event_type"] or "?", row["event_id"] or "?")
                    table.add_row(service, str(row["id"]), *event, reason, replayed)
        return table

    console.print(asyncio.run(job()))


@app.command()
def show(service: Service, number: Number, data: DataDir = DATA_DIR) -> None:
    """Show one record whole. It may hold personal data, as its sender wrote it."""

    async def job() -> None:
        async with opened(service, data) as platform, platform.db.read() as conn:
            row = await find(conn, number)
        if row is None:
            console.print(f"{service} has no dead letter {number}; see `afterword dlq list`.")
            raise typer.Exit(1)
        console.print(
            f"{row['topic']}/{row['partition']} at {row['offset']}: {row['error']}: {row['reason']}"
        )
        for name, content in load_headers(row["headers"]):
            console.print(f"  {name}: {content.decode(errors='replace')}")
        console.print((row["value"] or b"").decode(errors="replace"))

    asyncio.run(job())


@app.command("replay")
def replay_letter(service: Service, number: Number, data: DataDir = DATA_DIR) -> None:
    """Send a record to its topic again; it is handled once, and by nobody who handled it before."""

    async def job() -> bool:
        async with opened(service, data) as platform, platform.db.begin() as tx:
            return await replay(tx.conn, number, platform.machine.wall())

    if not asyncio.run(job()):
        console.print(f"{service} has no dead letter {number}; see `afterword dlq list`.")
        raise typer.Exit(1)
    console.print("Sent again; it shows in `afterword dlq list` once more if it still fails.")
