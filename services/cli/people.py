"""`afterword users`: who may sign in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.cli.deployment import DATA_DIR, opened
from shared.security.people import AccessRefusedError, NewUser
from shared.security.roles import Role

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]


@app.command()
def invite(
    email: Annotated[
        str, typer.Argument(help="The person's e-mail address; account owners are found by it.")
    ],
    name: Annotated[str, typer.Option(help="Name as others see it.")] = "",
    role: Annotated[Role, typer.Option(help="viewer, rep, manager or admin.")] = Role.REP,
    zone: Annotated[str, typer.Option(help="Time zone, as Europe/Stockholm.")] = "UTC",
    data: DataDir = DATA_DIR,
) -> None:
    """Make an account and print its one-time link, where the person sets a password."""

    async def job() -> str:
        async with opened("trigger", data) as platform:
            new = NewUser(email=email, name=name or email.partition("@")[0], role=role, zone=zone)
            invitation = await platform.access.invite(new)
            return platform.settings.public_url + invitation.path

    try:
        link = asyncio.run(job())
    except (ValueError, AccessRefusedError) as error:
        console.print(f"Not invited: {error}", style="red", highlight=False)
        console.print(f"afterword users link {email} makes a new link for somebody who has an account.")
        raise typer.Exit(1) from None
    _hand_over(email, link)


@app.command("link")
def new_link(
    email: Annotated[str, typer.Argument(help="The address of somebody who has an account.")],
    data: DataDir = DATA_DIR,
) -> None:
    """Print a new one-time link for somebody who lost the first, or the password, which holds until then."""

    async def job() -> str:
        async with opened("trigger", data) as platform:
            user = await platform.access.user_by_email(email)
            if user is None:
                raise AccessRefusedError("email", f"There is no account with the address {email}.")
            return platform.settings.public_url + (await platform.access.renew_link(user.id)).path

    try:
        link = asyncio.run(job())
    except AccessRefusedError as error:
        console.print(str(error), style="red", highlight=False)
        raise typer.Exit(1) from None
    _hand_over(email, link)


def _hand_over(email: str, link: str) -> None:
    console.print(f"Hand this link to {email}; it works once:")
    typer.echo(link)


@app.command("list")
def list_users(data: DataDir = DATA_DIR) -> None:
    """Show everybody with an account."""

    async def job() -> Table:
        table = Table("e-mail", "name", "role", "zone")
        async with opened("trigger", data) as platform:
            for user in await platform.access.list_users():
                table.add_row(user.email, user.name, user.role, user.zone)
        return table

    console.print(asyncio.run(job()))
