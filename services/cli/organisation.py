"""`afterword organisation`: who asks, in whose name, and where people find the pages."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.cli.deployment import DATA_DIR, opened
from services.trigger.domain.model import Organisation
from services.trigger.handlers.organisation import save_organisation
from services.trigger.store.programmes import get_organisation

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]
Text = Annotated[str | None, typer.Option()]


@app.command()
def show(data: DataDir = DATA_DIR) -> None:
    """Show the settings."""
    found = asyncio.run(_change(data, {}))
    for name in ("name", "zone", "locales", "brand", "sender", "public_url", "own_domains"):
        console.print(f"{name:12} {getattr(found, name)}")


@app.command("set")
def set_(  # noqa: PLR0913, PLR0917 - one option a setting
    name: Text = None,
    zone: Text = None,
    sender_name: Text = None,
    sender_email: Text = None,
    public_url: Text = None,
    colour: Text = None,
    own_domain: Annotated[list[str] | None, typer.Option(help="Our own people are never asked.")] = None,
    data: DataDir = DATA_DIR,
) -> None:
    """Change some settings; the others stay. Services take them over within a second."""
    wanted = {
        "name": name,
        "zone": zone,
        "public_url": public_url,
        "own_domains": tuple(own_domain or ()) or None,
    }
    wanted |= {
        "sender.name": sender_name,
        "sender.email": sender_email,
        "brand.colour": colour,
        "brand.name": name,
    }
    found = asyncio.run(_change(data, {key: value for key, value in wanted.items() if value is not None}))
    console.print(f"Saved; {found.name} asks in the name of {found.sender.name} <{found.sender.email}>.")


async def _change(data: Path, wanted: dict[str, object]) -> Organisation:
    async with opened("trigger", data) as platform, platform.db.begin() as tx:
        known = await get_organisation(tx.conn)
        if known is None:
            console.print("No settings are written yet: start the trigger service once.")
            raise typer.Exit(1)
        if not wanted:
            return known
        plain = {key: value for key, value in wanted.items() if "." not in key}
        sender = {key.partition(".")[2]: value for key, value in wanted.items() if key.startswith("sender.")}
        brand = {key.partition(".")[2]: value for key, value in wanted.items() if key.startswith("brand.")}
        changed = replace(
            known,
            sender=known.sender.model_copy(update=sender),
            brand=known.brand.model_copy(update=brand),
            **plain,  # type: ignore[arg-type] # names and types are those of the options above
        )
        return await save_organisation(tx, changed)
