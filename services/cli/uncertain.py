"""`afterword messages uncertain` and `decide`: messages of which nobody knows whether they left."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, opened
from services.dispatch.domain.uncertain import Decision, Standing
from services.dispatch.handlers.uncertain import Decided, Listed, Uncertain
from services.dispatch.store.uncertain import Wanted
from shared.contracts.model import Channel
from shared.web.problems import Problem

console = Console()
BY = "system"
"""Who decides by a command, in the audit log: whoever may run it needs no account."""

DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]


def uncertain(
    programme: Annotated[str, typer.Option(help="Of one programme alone.")] = "",
    channel: Annotated[Channel | None, typer.Option(help="By one channel alone.")] = None,
    standing: Annotated[
        Standing, typer.Option(help="To be decided, left as they are, or all decisions.")
    ] = Standing.OPEN,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many at most.")] = 100,
    data: DataDir = DATA_DIR,
) -> None:
    """List messages that may or may not have left, newest first. None is ever sent again by itself."""
    wanted = Wanted(standing, programme, channel.value if channel else "")

    async def job() -> list[Listed]:
        async with opened("dispatch", data) as platform:
            known = Uncertain(platform.db, platform.sealer)
            async with platform.db.read() as conn:
                return await known.listed(conn, wanted, limit)

    found = asyncio.run(job())
    if not found:
        console.print("There is none.")
        return
    for one in found:
        _tell(one)
    if len(found) == limit:
        console.print(f"The newest {limit}; --limit shows more.", highlight=False)


def decide(
    message: Annotated[UUID, typer.Argument(help="The message's id, as the list shows it.")],
    decision: Annotated[
        Decision, typer.Argument(help="It arrived, it is sent once more, or it is left as it is.")
    ],
    data: DataDir = DATA_DIR,
) -> None:
    """Decide about one of them. Exit code 1 when that cannot be; it says why."""

    async def job() -> Decided:
        async with opened("dispatch", data) as platform:
            known = Uncertain(platform.db, platform.sealer)
            return await known.decide(message, decision, None, BY)

    try:
        kept = asyncio.run(job())
    except Problem as problem:
        console.print(f"[red]{problem.reason}[/] {problem.what_to_do}".strip(), highlight=False)
        raise typer.Exit(1) from None
    done = {
        Decision.DELIVERED: "It counts as delivered.",
        Decision.SEND_AGAIN: "It is sent again, if nothing speaks against it by then.",
        Decision.LEAVE: "It stays as it is.",
    }[kept.made.decision]
    console.print(done if kept.fresh else f"That was decided before. {done}", highlight=False)


def _tell(one: Listed) -> None:
    row = one.row
    since = f"since {row.since:%Y-%m-%d %H:%M}" if row.since else row.state.value
    console.print(f"[bold]{row.delivery_id}[/] {since}", highlight=False, soft_wrap=True)
    parts = Table.grid(padding=(0, 2))
    made = row.made
    rows = {
        "what": f"{row.programme} {row.kind} {row.step} by {row.channel.value}",
        "to": f"contact {row.contact_id}",
        "why": row.lost_detail,
        "send again": f"no: {one.bar.value}" if one.bar else "possible",
        "decided": f"{made.decision.value} {made.at:%Y-%m-%d %H:%M} by {made.by}" if made else "",
    }
    for name, text in rows.items():
        if text:
            parts.add_row(f"  {name}", text)
    console.print(parts, highlight=False)
