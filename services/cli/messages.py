"""`afterword messages`: how they look before anything runs; those of which nobody knows whether they left."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from services.cli.deployment import DATA_DIR, is_deployed, opened
from services.cli.programmes import DEFAULT, LOCALES, report_on
from services.cli.uncertain import decide, uncertain
from services.dispatch.channels.preview import Preview, Step, Studio, Wanted
from services.dispatch.channels.render import Renderer
from services.dispatch.domain.model import write_texts
from services.dispatch.domain.text import UnsafeText
from services.dispatch.store.queue import house, organisation_of
from services.trigger.domain.programme import Edition
from shared.contracts.directory import Brand, OrganisationChanged, Sender
from shared.contracts.model import Channel
from shared.runtime.clock import SystemMachine

app = typer.Typer(no_args_is_help=True)
app.command()(uncertain)
app.command()(decide)
console = Console()

NEUTRAL = OrganisationChanged(
    version=0,
    name="Your company",
    brand=Brand(name="Your company"),
    sender=Sender(name="Your name", email="you@example.com"),
    public_url="https://ask.example.com",
)


@dataclass(frozen=True, slots=True)
class _Shown:
    wanted: Wanted
    preview: Preview


@app.callback()
def group() -> None:
    """How messages look, and those of which nobody knows whether they left."""


@app.command()
def preview(  # noqa: PLR0913 - each is an option
    keys: Annotated[list[str] | None, typer.Argument(help="Keys of programmes; all without one.")] = None,
    folder: Annotated[Path, typer.Option("--folder", help="Folder of programme files.")] = DEFAULT,
    locale: Annotated[list[str] | None, typer.Option(help="Language; repeat it.")] = None,
    channel: Annotated[
        list[Channel] | None, typer.Option(help="Channel; repeat it. Else those of the programme.")
    ] = None,
    step: Annotated[Step, typer.Option(help="Which message.")] = Step.INVITATION,
    to: Annotated[Path | None, typer.Option(help="Write files into this folder instead of printing.")] = None,
    *,
    subject: Annotated[str, typer.Option(help="Id of one of several subjects; else the first.")] = "",
    sms_replies: Annotated[
        bool, typer.Option(envvar="AFTERWORD_DISPATCH_SMS_REPLIES", help="A number may be sent back.")
    ] = False,
    neutral: Annotated[
        bool, typer.Option("--neutral", help="Do not ask the deployment for name, colours and sender.")
    ] = False,
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """Show messages as they would leave, to somebody called Alex Example. Exit code 1 when one could not."""
    editions = _editions(folder, keys or [])
    organisation = NEUTRAL if neutral or not is_deployed(data) else _organisation(data)
    studio = Studio(Renderer(), organisation.public_url, sms_replies)
    now = SystemMachine().wall()
    failed = False
    for edition in editions:
        for one in _wanted(edition, locale or LOCALES, channel or (), step):
            wanted = replace(one, line=subject)
            try:
                shown = _Shown(wanted, _show(studio, edition, organisation, wanted, now))
            except UnsafeText as error:
                failed = True
                console.print(f"[red]{_name(wanted)}[/]: {error}", highlight=False, soft_wrap=True)
                continue
            _print(shown) if to is None else _write(shown, to)
    if failed:
        raise typer.Exit(1)


def _editions(folder: Path, keys: Sequence[str]) -> list[Edition]:
    known = {checked.edition.key: checked.edition for checked in report_on(folder, LOCALES).programmes}
    unknown = [key for key in keys if key not in known]
    if unknown or not known:
        what = f"no readable programme {', '.join(unknown)}" if unknown else "no readable programme"
        console.print(f"[red]There is {what} in {folder}.[/] There are {', '.join(sorted(known)) or 'none'}.")
        raise typer.Exit(1)
    return [known[key] for key in keys or sorted(known)]


def _wanted(
    edition: Edition, locales: Sequence[str], channels: Sequence[Channel], step: Step
) -> Iterator[Wanted]:
    for tag in dict.fromkeys(locales):
        for way in dict.fromkeys(channels or edition.programme.send.channels):
            yield Wanted(edition.key, tag, way, step)


def _show(
    studio: Studio, edition: Edition, organisation: OrganisationChanged, wanted: Wanted, now: datetime
) -> Preview:
    rules = edition.programme
    return studio.show(write_texts(rules.form, rules.signed), organisation, wanted, now)


def _name(wanted: Wanted) -> str:
    return f"{wanted.programme} {wanted.locale} {wanted.channel} {wanted.step}"


def _print(shown: _Shown) -> None:
    found = shown.preview
    console.rule(_name(shown.wanted), align="left", style="dim")
    if not found.translated:
        console.print(f"[yellow]The programme has no text in {shown.wanted.locale}.[/]", highlight=False)
    if found.html:
        _plain(f"From: {found.sender}\nSubject: {found.subject}\n")
    _plain(found.text)
    if found.length:
        length = found.length
        console.print(
            f"{length.encoding}, {length.units} units, {length.segments} parts", style="dim", highlight=False
        )


def _plain(text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _write(shown: _Shown, to: Path) -> None:
    wanted, found = shown.wanted, shown.preview
    name = wanted.channel.value if wanted.step is Step.INVITATION else f"{wanted.channel}.{wanted.step}"
    place = to / wanted.programme / wanted.locale
    place.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.txt": found.text} | ({f"{name}.html": found.html} if found.html else {})
    for file, content in files.items():
        (place / file).write_text(content, encoding="utf-8")
        console.print(str(place / file), highlight=False, soft_wrap=True)


def _organisation(data: Path) -> OrganisationChanged:
    async def job() -> OrganisationChanged:
        async with opened("dispatch", data) as platform, platform.db.read() as conn:
            found = await house(conn)
        return organisation_of(found) if found else NEUTRAL

    try:
        return asyncio.run(job())
    except (OSError, asyncpg.PostgresError) as error:
        console.print("[red]The database of the deployment does not answer.[/] Start it, or use --neutral.")
        raise typer.Exit(2) from error
