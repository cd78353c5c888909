"""`afterword books`: what was planned, asked, answered and cared for; and whether the sums are right."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from services.alerts.store.books import books as alerts_books
from services.cli.deployment import DATA_DIR, opened
from services.collector.store.books import books as collector_books
from services.dispatch.store.views import books as dispatch_books
from services.scoring.store.books import books as scoring_books
from services.trigger.store.ledger import books as trigger_books

console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]


def command(
    data: DataDir = DATA_DIR,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the books of all five services; exit 1 when they do not balance."""
    found = asyncio.run(gather(data))
    if as_json:
        typer.echo(json.dumps(found, default=str))
    else:
        console.print_json(json.dumps(found, default=str))
    if not (found["trigger"]["balanced"] and found["dispatch"]["balanced"]):
        raise typer.Exit(1)


async def gather(data: Path) -> dict[str, Any]:
    """The books of every service by its name."""
    found: dict[str, Any] = {}
    async with opened("trigger", data) as platform, platform.db.read() as conn:
        trigger = await trigger_books(conn)
        found["trigger"] = {**asdict(trigger), "balanced": trigger.balanced}
    async with opened("dispatch", data) as platform, platform.db.read() as conn:
        dispatch = await dispatch_books(conn)
        found["dispatch"] = {**asdict(dispatch), "balanced": dispatch.balanced}
    async with opened("collector", data) as platform, platform.db.read() as conn:
        found["collector"] = asdict(await collector_books(conn))
    async with opened("scoring", data) as platform, platform.db.read() as conn:
        found["scoring"] = asdict(await scoring_books(conn))
    async with opened("alerts", data) as platform, platform.db.read() as conn:
        found["alerts"] = asdict(await alerts_books(conn, platform.clock.now()))
    return found
