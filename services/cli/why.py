"""`afterword why`: why somebody was asked or not, by person, account, programme or event."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from services.cli.deployment import DATA_DIR, opened
from services.trigger.domain.explain import sentence
from services.trigger.domain.particulars import Reading
from services.trigger.handlers.looking_up import Answer, Found, look_up
from services.trigger.pages.showing import reading_of

console = Console(markup=False, highlight=False)
ELSEWHERE = """\
No event has ever named it, or none that we could take. Check the spelling, then look here:
  /why/left-out      what was refused, came twice in two versions, or waits for somebody
  afterword dlq list records on Kafka that could not be used"""


def command(
    wanted: Annotated[
        str,
        typer.Argument(
            help="E-mail address, id, phone, account, programme; the id of an event, a webhook, a ticket or "
            "an order as its sender knows it."
        ),
    ],
    source: Annotated[str, typer.Option(help="Only events of this source.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Most decisions, newest first.")] = 50,
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """Say why somebody was asked, or was not. Exit code 1 when nothing is known by that."""

    async def job() -> tuple[Answer, Reading]:
        async with opened("trigger", data) as platform, platform.db.read() as conn:
            answer = await look_up(conn, platform.sealer, wanted.strip(), source=source, limit=limit)
            return answer, await reading_of(conn, [entry.decision for entry in answer.entries], "UTC")

    found, reading = asyncio.run(job())
    if found.found is Found.NOTHING:
        console.print(f"Nothing is known by {wanted!r}.", style="red")
        console.print(ELSEWHERE, soft_wrap=True)
        raise typer.Exit(1)
    say(found, reading)


def say(answer: Answer, reading: Reading) -> None:
    """Tell what was found: events that go by it, what of them was put aside, and the decisions."""
    if len(answer.trace.events) > 1:
        console.print(f"{len(answer.trace.events)} events go by that; --source keeps to those of one sender.")
    for event in answer.trace.events:
        at = f", {event.at:%Y-%m-%d %H:%M}" if event.at else ""
        known = ((event.type or "event", "bold"), f" from {event.source}{at}  ", (event.event_id, "dim"))
        console.print(Text.assemble(*known), soft_wrap=True)
        if event.conflicts:
            console.print("  Something else came under the same id; the first stands.", style="yellow")
    for letter in answer.trace.letters:
        console.print(f"Put aside, and not used: {letter.reason}", style="red", soft_wrap=True)
        console.print(f"  afterword dlq show trigger {letter.number}", style="dim")
    for entry in answer.entries:
        source = answer.sources.get(entry.event_id, "")
        sender = f"  from {source}" if source else ""
        said = ((f"{entry.at:%Y-%m-%d %H:%M}  ", "dim"), sentence(entry.decision, reading), (sender, "dim"))
        console.print(Text.assemble(*said), soft_wrap=True)
    if not answer.entries:
        console.print("Nothing was decided about it yet.")
