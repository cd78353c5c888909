"""`afterword cases`: are the sums that reports read what the cases say, adding them up anew."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.alerts.handlers import reporting
from services.cli.deployment import DATA_DIR, opened

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]


@app.command()
def check(data: DataDir = DATA_DIR) -> None:
    """Add up every week once more from the cases and compare; exit code 1 when one is wrong.

    Nothing is locked or changed; cases may go on meanwhile.
    """

    async def job() -> tuple[int, list[date]]:
        async with opened("alerts", data) as platform:
            return await reporting.check(platform.db)

    weeks, wrong = asyncio.run(job())
    if not wrong:
        console.print(f"{weeks} weeks are what their cases say.")
        return
    console.print(f"Wrong: the weeks from {', '.join(map(str, wrong))}.")
    console.print(f"{len(wrong)} of {weeks} weeks are wrong; `afterword cases rebuild` mends it")
    raise typer.Exit(1)


@app.command()
def rebuild(data: DataDir = DATA_DIR) -> None:
    """Have all weeks added up anew by the service. Reports say the same meanwhile, but take longer."""

    async def job() -> int:
        async with opened("alerts", data) as platform:
            return await reporting.rebuild(platform.db)

    console.print(f"{asyncio.run(job())} weeks are added up anew within the next minutes.")
