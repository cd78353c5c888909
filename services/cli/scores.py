"""`afterword scores`: are the sums what the answers say, counting them anew, what stands in CRMs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, opened
from services.scoring.store import crm as records
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
        cell = " ".join(map(str, one.cell)).replace("\x1f", "+") + (" (month)" if one.whole_month else "")
        table.add_row(cell, str(list(one.kept)), str(list(one.counted)))
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


@app.command()
def crm(
    name: Annotated[str, typer.Argument(help="One CRM alone; all of them without it.")] = "",
    data: DataDir = DATA_DIR,
) -> None:
    """Show what stands of scores in CRMs: records by state, and each that was refused, with the reason."""
    counted, troubles, refused = asyncio.run(_standing(name, data))
    if not counted and not troubles:
        console.print("Nothing was written there yet; docs/crm.md says how to connect a CRM.")
    for one in counted:
        console.print(f"{one['target']}: {one['records']} {one['kind']} records {one['state']}")
    for one in troubles:
        until = f"{one['held_until']:%Y-%m-%d %H:%M:%S} UTC"
        console.print(f"{one['target']}: {one['kind']} records wait until {until}: {one['trouble']}")
    if refused:
        table = Table("CRM", "kind", "id", "reason", title="Records that were refused")
        for one in refused[:SHOWN]:
            table.add_row(one["target"], one["kind"], str(one["id"]), one["reason"])
        console.print(table)
    if len(refused) > SHOWN:
        console.print("There are more: GET /v1/scores/crm/records?state=refused lists all of them.")


async def _standing(name: str, data: Path) -> list[list[dict[str, Any]]]:
    """Counts, troubles and refused records of one CRM, or of all."""
    async with opened("scoring", data) as platform, platform.db.read() as conn:
        found = (await records.counted(conn), await records.troubles(conn))
        refused = await records.listed(conn, (name, "", "refused"), None, None, SHOWN + 1)
    return [*([one for one in rows if name in ("", one["target"])] for rows in found), refused]
