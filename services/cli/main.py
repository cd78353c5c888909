"""`afterword`: run it, look into it, take care of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli import (
    backtest,
    badges,
    books,
    cases,
    deadletters,
    forms,
    imports,
    incentives,
    mail,
    messages,
    organisation,
    people,
    rota,
    scores,
    sources,
    suppressions,
    up,
    verdicts,
    why,
)
from services.cli.deployment import DATA_DIR, migrate, wait_for_database
from services.cli.programmes import app as programmes
from shared.embedded import stack

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Ask the right person after something happened, and care for the unhappy ones within 24 hours.",
)
app.add_typer(programmes, name="programmes", help="Survey programmes as YAML: check and show them.")
app.add_typer(sources.app, name="sources", help="Topics of others on Kafka: check and try sources.yaml.")
app.add_typer(
    forms.app, name="forms", help="Answers of form tools: check forms.yaml, what could not be used."
)
app.add_typer(rota.app, name="rota", help="Who is on call: check alerts.yaml, see the weeks ahead.")
app.add_typer(people.app, name="users", help="People who sign in: invite, new link, list.")
app.add_typer(deadletters.app, name="dlq", help="Records put aside: list, show, replay.")
app.add_typer(organisation.app, name="organisation", help="Name, zone, sender and public address.")
app.add_typer(scores.app, name="scores", help="Sums of answers: check them, count them anew.")
app.add_typer(cases.app, name="cases", help="Sums of cases that reports read: check them, add up anew.")
app.add_typer(badges.app, name="badges", help="Scores that everybody may see: publish, list, take back.")
app.add_typer(verdicts.app, name="verdicts", help="Person or machine: why, and judged anew by today's rules.")
app.add_typer(incentives.app, name="incentives", help="What was promised to whoever answers, and given.")
app.add_typer(mail.app, name="mail", help="Will receivers believe our mails: SPF, DKIM, DMARC.")
app.add_typer(messages.app, name="messages", help="How messages look; those that may not have left.")
app.add_typer(suppressions.app, name="suppressions", help="Who is not written to: import, export, show.")
app.command("books")(books.command)
app.command("import")(imports.command)
app.command("backtest")(backtest.command)
app.command("why")(why.command)

console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]


@app.command("up")
def up_command(
    port: Annotated[int, typer.Option(help="Port of all pages and APIs.")] = 8000,
    data: DataDir = DATA_DIR,
    programmes_dir: Annotated[Path, typer.Option("--programmes", help="Folder of programmes.")] = Path(
        "programmes"
    ),
) -> None:
    """Run all five services on one port, with PostgreSQL, broker and mail sink beside them."""
    asyncio.run(up.run_all(data, port, programmes_dir))


@app.command()
def down(data: DataDir = DATA_DIR) -> None:
    """Stop the embedded PostgreSQL, broker and mail sink, and a running `afterword up`."""
    up.stop_running(data)
    stopped = asyncio.run(stack.stop_all(data))
    console.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command()
def status(data: DataDir = DATA_DIR) -> None:
    """Show what of the embedded deployment runs, and where."""
    table = Table("part", "state", "pid", "port")
    for part in stack.status(data):
        table.add_row(
            part.name, "running" if part.running else "stopped", str(part.pid or ""), str(part.port or "")
        )
    console.print(table)


@app.command("migrate")
def migrate_command(
    admin_url: Annotated[
        str, typer.Option(envvar="AFTERWORD_ADMIN_DATABASE_URL", help="Superuser's address.")
    ] = "",
    data: DataDir = DATA_DIR,
) -> None:
    """Create roles and schemas and migrate every service; run before the services start."""

    async def job() -> None:
        if admin_url:
            await wait_for_database(admin_url)
        await migrate(data, admin_url or None)

    asyncio.run(job())
    console.print("Every schema is at its newest revision.")
