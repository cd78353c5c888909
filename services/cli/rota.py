"""`afterword rota`: is `alerts.yaml` fit to run, who is on call, and when is nobody?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.alerts.domain.gap_words import SHARED
from services.alerts.domain.outlook import WEEKS, Outlook, outlook
from services.alerts.domain.routing import Staff, strange_owners
from services.alerts.domain.teams import Roster, read_roster
from services.alerts.store import directory
from services.alerts.store.rota import staff
from services.cli.deployment import DATA_DIR, opened
from shared.errors import AfterwordError
from shared.words.file import dictionary_of

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DEFAULT = Path("alerts.yaml")
MOST_OWNERS = 10
File = Annotated[Path, typer.Argument(help="The file with teams and routes.")]
Weeks = Annotated[int, typer.Option(min=1, max=26, help="How far to look ahead.")]
Dictionary = Annotated[
    Path | None,
    typer.Option("--dictionary", envvar="AFTERWORD_DICTIONARY", help="Your own dictionary of themes."),
]
DataDir = Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")]


@app.command("check")
def check_command(
    file: File = DEFAULT,
    weeks: Weeks = WEEKS,
    data: DataDir = DATA_DIR,
    dictionary: Dictionary = None,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Read the file alone, ask no database.")] = False,
) -> None:
    """Say what is wrong in the file, who of it is unknown, and when nobody will be on call.

    Exit code 1 when there is anything of it. Owners of accounts who are no users are named, and are no fault.
    """
    roster = _read(file, dictionary)
    counted = f"{len(roster.teams)} teams, {len(roster.routes)} routes, 0 errors."
    console.print(counted, style="green", highlight=False)
    if offline:
        return
    people, found, owned = asyncio.run(_look(roster, weeks, data))
    for line in _strangers(strange_owners(owned, people)):
        console.print(line, highlight=False, soft_wrap=True)
    troubles = [line for one in found for line in _troubles(one)]
    for line in troubles:
        console.print(line, highlight=False, soft_wrap=True)
    if troubles:
        raise typer.Exit(1)
    console.print(f"Somebody is on call at every moment of the next {weeks} weeks.", highlight=False)


@app.command("show")
def show_command(
    file: File = DEFAULT, weeks: Weeks = WEEKS, data: DataDir = DATA_DIR, dictionary: Dictionary = None
) -> None:
    """Show whose shift it is in the weeks ahead, team by team, in the team's own time."""
    roster = _read(file, dictionary) if file.is_file() else Roster()
    people, found, _ = asyncio.run(_look(roster, weeks, data))
    for one in found:
        table = Table("from", "until", "who", "by", title=_name(one), title_justify="left")
        for shift in one.shifts:
            member = people.by_id(shift.user_id)
            by = "stand-in" if shift.override else shift.layer
            when = (_local(shift.starts_at, one.team.zone), _local(shift.ends_at, one.team.zone))
            table.add_row(*when, member.name if member else "", by)
        console.print(table if one.shifts else f"{_name(one)}: nobody is on call, all managers are told.")


def _troubles(one: Outlook) -> list[Text]:
    doubtful, wrong = (_name(one), "yellow"), (_name(one), "red")
    strangers = one.team.strangers
    found = [Text.assemble(doubtful, f": {who} is no active user who works on cases") for who in strangers]
    found += [
        Text.assemble(doubtful, f": {who}, whom its escalation policy names, is no active user")
        for who in one.team.unknown
    ]
    for gap in one.gaps:
        when = f"{_local(gap.starts_at, one.team.zone)} to {_local(gap.ends_at, one.team.zone)}"
        found.append(Text.assemble(wrong, f": nobody from {when} ({one.team.zone}): {gap.why}"))
    return found


def _strangers(owners: Mapping[str, int]) -> list[Text]:
    """Owners of accounts whom cases do not find, those with most accounts by name."""
    why = "is no active user who works on cases: these go to the team, or to who is on call"
    told = [
        Text.assemble((who, "yellow"), f" owns {n} account{'' if n == 1 else 's'} and {why}")
        for who, n in islice(owners.items(), MOST_OWNERS)
    ]
    more = len(owners) - len(told)
    return [*told, Text(f"and {more} more owners like that")] if more else told


def _name(one: Outlook) -> str:
    return one.team.name or SHARED


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"


async def _look(roster: Roster, weeks: int, data: Path) -> tuple[Staff, list[Outlook], Mapping[str, int]]:
    async with opened("alerts", data) as platform, platform.db.read() as conn:
        now = platform.clock.now()
        people = await staff(conn, now, (), roster)
        owned = await directory.owned(conn)
    return people, [outlook(team, people, now, weeks) for team in people.teams], owned


def _read(file: Path, dictionary: Path | None) -> Roster:
    if not file.is_file():
        console.print(f"There is no file {file}.", style="red", highlight=False)
        raise typer.Exit(1)
    try:
        themes = dictionary_of(dictionary).keys
    except AfterwordError as error:
        console.print(f"The dictionary cannot be used. {error}", style="red", highlight=False)
        raise typer.Exit(1) from None
    checked = read_roster(file.read_text(encoding="utf-8"), themes)
    if checked.value is not None:
        return checked.value
    for one in checked.complaints:
        where = f"{file}:{one.line}"
        console.print(Text.assemble(("error", "red bold"), " ", (where, "bold"), " ", (one.path, "cyan")))
        console.print(Text.assemble(f"  {one.reason}. ", (one.what_to_do, "dim")))
    console.print(f"{len(checked.complaints)} errors.", style="red", highlight=False)
    raise typer.Exit(1)
