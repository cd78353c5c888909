"""`afterword scores`: are the sums what the answers say, and counting them anew."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, opened
from services.scoring.store.recount import Checked, check_cells, rebuild_cells

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]
SHOWN = 20


@app.command()
def check(data: DataDir = DATA_DIR) -> None:
    """Count every cell once more from the answers and compare; exit code 1 when one is wrong.

    Nothing is locked or changed; scoring may go on meanwhile.
    """

    async def job() -> Checked:
        async with opened("scoring", data) as platform, platform.db.begin() as tx:
            return await check_cells(tx)

    found = asyncio.run(job())
    if not found.wrong:
        console.print(f"{found.cells} cells are what {found.facts} answers say.")
        return
    table = Table("cell", "kept", "counted", title="Cells that are wrong")
    for one in found.wrong[:SHOWN]:
        table.add_row(
            " ".join(map(str, one.cell)).replace("\x1f", "+"), str(list(one.kept)), str(list(one.counted))
        )
    console.print(table)
    console.print(f"{len(found.wrong)} of {found.cells} cells are wrong; `afterword scores rebuild` mends it")
    raise typer.Exit(1)


@app.command()
def rebuild(data: DataDir = DATA_DIR) -> None:
    """Count all cells anew from the answers. Scoring waits meanwhile, pages show the old numbers."""

    async def job() -> int:
        async with opened("scoring", data) as platform, platform.db.begin() as tx:
            return await rebuild_cells(tx)

    console.print(f"All cells counted anew from {asyncio.run(job())} answers.")
