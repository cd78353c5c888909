"""`afterword backtest`: what programmes would have done with a history of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import UTC, datetime, time
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from services.cli.backtest_run import SHOWN, Found, Progress, Setting, report_of_run, run
from services.cli.backtest_shares import dealt, processes_for, run_apart
from services.cli.backtest_terminal import show
from services.cli.programmes import report_on
from services.trigger.domain.backtest.apart import Bonds, Groups
from services.trigger.domain.backtest.report import Assumptions, BacktestReport, Broken
from services.trigger.domain.directory import is_zone
from services.trigger.domain.model import Organisation
from services.trigger.domain.programme import Edition
from services.trigger.settings import Settings, listed
from services.trigger.sources.history import History
from services.trigger.sources.table import Problem
from shared.contracts.directory import Brand, Sender

console = Console(markup=False)


def command(  # noqa: PLR0913, PLR0917 - one option a choice
    events: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="NDJSON of historic events.")],
    programmes: Annotated[Path, typer.Option(help="Folder of programme files.")] = Path("programmes"),
    against: Annotated[Path | None, typer.Option(help="Another folder, shown beside it.")] = None,
    contacts: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="CSV or NDJSON, known from the start.")
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="CSV or NDJSON, known from the start.")
    ] = None,
    begins: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day that is counted.")
    ] = None,
    ends: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day that is counted.")
    ] = None,
    json: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the whole report as JSON.")] = None,
    html: Annotated[Path | None, typer.Option(dir_okay=False, help="Write it as one page.")] = None,
    response_rate: Annotated[
        float, typer.Option(min=1, max=100, help="Percent of the invited who answer.")
    ] = 25,
    unhappy: Annotated[float, typer.Option(min=0, max=100, help="Percent of answers that are unhappy.")] = 15,
    happy: Annotated[float, typer.Option(min=0, max=100, help="Percent of answers in the best group.")] = 55,
    capacity: Annotated[float, typer.Option(min=0.1, help="Tickets that the rota takes on a day.")] = 10,
    zone: Annotated[str, typer.Option(help="Zone of days, and of people without their own.")] = "",
    own_domain: Annotated[list[str] | None, typer.Option(help="A domain of your own people.")] = None,
    jobs: Annotated[
        int, typer.Option(min=0, max=512, help="Processes; 0 = one a core, as far as it is worth it.")
    ] = 0,
) -> None:
    """Say what programmes would have done with a history of events: whom they ask, when, whom not and why.

    It decides by the same rules as the service, on a simulated clock, without database and broker. Lines that
    cannot be used are named and left out; exit code 1 when there are any.
    """
    _writable(json=json, html=html)
    assumed = _assumed(response_rate, unhappy, happy, capacity, zone)
    folders = [_editions(folder) for folder in (programmes, against) if folder]
    names = _names([folder for folder in (programmes, against) if folder])
    history, many = History(events), processes_for(events, jobs)
    groups = Groups(Bonds.of(chain(*folders))) if many > 1 else None
    with _bar("reading", events.stat().st_size) as step:
        history.walk(step, groups)
    named = tuple(zip(names, folders, strict=True))
    setting = _setting(history, assumed, (begins, ends), own_domain, named, accounts, contacts)
    with _bar("deciding", history.count) as step:
        found = _found(history, setting, groups, many, step)
    report = report_of_run(history, setting, found, assumed)
    if not report.source.events:
        _nothing(history, report.problems)
    show(console, report)
    for path, text in ((json, report.model_dump_json(indent=1)), (html, None)):
        if path:
            path.write_text((text if text is not None else _page(report)) + "\n", encoding="utf-8")
            console.print(f"Written: {path!s}", highlight=False)
    if report.source.broken:
        raise typer.Exit(1)


def _found(history: History, setting: Setting, groups: Groups | None, many: int, step: Progress) -> Found:
    if groups is None:
        return run(history, setting, step)
    try:
        return run_apart(dealt(history, groups, setting, many), step)
    except BrokenProcessPool:
        console.print("A process was ended from outside, as for want of memory; try --jobs 1.", style="red")
        raise typer.Exit(1) from None


def _writable(**files: Path | None) -> None:
    """Say before a long run that its report would have no place."""
    for option, file in files.items():
        if file and not file.absolute().parent.is_dir():
            raise typer.BadParameter(f"there is no folder {file.parent}", param_hint=f"--{option}")


def _assumed(rate: float, unhappy: float, happy: float, capacity: float, zone: str) -> Assumptions:
    settings = Settings()
    place = zone or settings.organisation_zone
    if not is_zone(place):
        raise typer.BadParameter(
            f"{place!r} is no zone; write for example Europe/Stockholm", param_hint="--zone"
        )
    if unhappy + happy > 100:  # noqa: PLR2004 - percent
        raise typer.BadParameter("unhappy and happy answers are more than all", param_hint="--happy")
    return Assumptions(
        response_rate=rate / 100, unhappy=unhappy / 100, happy=happy / 100, capacity=capacity, zone=place
    )


def _editions(folder: Path) -> list[Edition]:
    """The programmes of a folder, all of them; what the service would refuse to publish is refused here."""
    report = report_on(folder, ())
    for finding in report.errors:
        console.print(f"{finding.text}", style="red", highlight=False)
    if report.errors:
        console.print("Mend these first; `afterword programmes check` says more.", highlight=False)
        raise typer.Exit(1)
    if not report.programmes:
        console.print(f"There is no programme in {folder!s}.", style="red", highlight=False)
        raise typer.Exit(1)
    return [checked.edition for checked in report.programmes]


def _names(folders: list[Path]) -> list[str]:
    """What tells the folders apart, as short as can be."""
    short = [folder.resolve().name for folder in folders]
    return short if len(set(short)) == len(short) else [str(folder) for folder in folders]


def _setting(  # noqa: PLR0913, PLR0917 - one option a choice
    history: History,
    assumed: Assumptions,
    days: tuple[datetime | None, datetime | None],
    own_domains: list[str] | None,
    programmes: tuple[tuple[str, list[Edition]], ...],
    accounts: Path | None,
    contacts: Path | None,
) -> Setting:
    """The counted time and whose history it is."""
    begins, ends = history.begins, history.ends
    if begins is None or ends is None:
        _nothing(history, history.problems)
    zone, settings = ZoneInfo(assumed.zone), Settings()
    first, last = days
    counted_from = first.replace(tzinfo=zone) if first else begins
    final = (last or ends.astimezone(zone)).date()
    counted_to = datetime.combine(final, time.max, zone)
    if counted_from > counted_to:
        raise typer.BadParameter(
            f"nothing lies between; the events are of {begins:%Y-%m-%d} to {ends:%Y-%m-%d}",
            param_hint="--from",
        )
    organisation = Organisation(
        name=settings.organisation_name,
        zone=assumed.zone,
        brand=Brand(name=settings.organisation_name),
        sender=Sender(name=settings.sender_name, email=settings.sender_email),
        public_url="",
        own_domains=tuple(own_domains or listed(settings.own_domains.lower())),
    )
    return Setting(
        organisation,
        counted_from.astimezone(UTC),
        counted_to.astimezone(UTC),
        programmes,
        begins,
        accounts,
        contacts,
    )


def _nothing(history: History, problems: Iterable[Broken | Problem]) -> NoReturn:
    """Say why there is nothing to go through."""
    for problem in islice(problems, SHOWN):
        console.print(Text.assemble((f"  line {problem.line}:", "red"), f" {problem.reason}"))
    console.print(f"There is no usable event in {history.file!s}.", style="red", highlight=False)
    raise typer.Exit(1)


def _page(report: BacktestReport) -> str:
    from services.trigger.pages.backtest import page_of  # noqa: PLC0415 - only who wants a page waits for it

    return page_of(report)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total or 1)
        yield lambda done: bar.update(task, completed=done)
