"""`afterword programmes`: are the files fit to run, and what do they say?"""

from __future__ import annotations

import asyncio
import difflib
import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from services.cli import differences, links
from services.cli.deployment import DATA_DIR, opened
from services.trigger.domain.by_hand import read_csv
from services.trigger.domain.candidates import Candidate
from services.trigger.domain.directory import reach_of
from services.trigger.domain.explain import because
from services.trigger.domain.findings import GROUPS_FILE, Checked, Report, Severity
from services.trigger.domain.groups import Group
from services.trigger.domain.in_words import rows_of
from services.trigger.domain.journey import journey
from services.trigger.domain.lessons import SegmentShown, shown
from services.trigger.domain.lint import check
from services.trigger.domain.model import Reach
from services.trigger.domain.trials import ALSO, Like, Trial
from services.trigger.handlers.asking import NotByHandError, ask_by_hand
from services.trigger.handlers.intake import Taken
from services.trigger.handlers.moments import offered
from services.trigger.handlers.replanning import NothingToReplanError, replan_page
from services.trigger.handlers.trials import NoTrialError, Sent, send_trial
from services.trigger.store.programmes import current_editions
from services.trigger.store.slots import lessons
from services.trigger.worker.publisher import PRESETS, read_folder
from shared.contracts.model import Persona
from shared.contracts.reasons import Reason
from shared.runtime.ids import random_id

app = typer.Typer(no_args_is_help=True)
app.add_typer(links.app)
app.command("diff")(differences.command)
console = Console(markup=False)

DEFAULT = Path("programmes")
LOCALES = ("en", "es", "sv")


@app.command("check")
def check_command(
    folder: Annotated[Path, typer.Argument(help="Folder of programme files.")] = DEFAULT,
    locale: Annotated[
        list[str] | None, typer.Option(help="Language that every text needs; repeat it.")
    ] = None,
) -> None:
    """Read every programme and say what is wrong, where, and what to do.

    Exit code 1 when there are errors.
    """
    report = report_on(folder, tuple(locale or LOCALES))
    for finding in report.findings:
        colour = "red" if finding.severity is Severity.ERROR else "yellow"
        where = f"{finding.file}:{finding.line}"
        at = ((finding.severity, f"{colour} bold"), " ", (where, "bold"), " ", (finding.path, "cyan"))
        console.print(Text.assemble(*at))
        console.print(Text.assemble(f"  {finding.reason} ", (finding.what_to_do, "dim")))
    numbers = (len(report.programmes), len(report.errors), len(report.findings) - len(report.errors))
    words = ("programme", "error", "warning")
    told = (
        f"{one} {word}" if one == 1 else f"{one} {word}s" for one, word in zip(numbers, words, strict=True)
    )
    count = f"{', '.join(told)}."
    console.print(count, style="red" if report.errors else "green", highlight=False)
    if report.errors:
        raise typer.Exit(1)


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="The programme's key.")],
    folder: Annotated[Path, typer.Option("--folder", help="Folder of programme files.")] = DEFAULT,
) -> None:
    """Say in plain words what a programme does."""
    report = report_on(folder, LOCALES)
    known = {checked.edition.key: checked for checked in report.programmes}
    if key not in known:
        console.print(f"There is no readable programme {key!r} in {folder}.", style="red", highlight=False)
        console.print(_perhaps(key, folder, known), highlight=False, soft_wrap=True)
        raise typer.Exit(1)
    console.print(_card(known[key], report.groups.groups))


def _perhaps(key: str, folder: Path, known: Collection[str]) -> str:
    """What was perhaps meant: a name like it, else a preset, else all there are."""
    presets = folder / PRESETS
    shipped = report_on(presets, LOCALES).programmes if presets.is_dir() else ()
    if any(checked.edition.key == key for checked in shipped):
        return f"It is a preset: --folder {presets}"
    close = difflib.get_close_matches(key.lower(), sorted(known), n=3)
    if close:
        return f"Did you mean {', '.join(close)}?"
    among = difflib.get_close_matches(key.lower(), sorted({one.edition.key for one in shipped}), n=3)
    if among:
        return f"Did you mean the preset {', '.join(among)}? (--folder {presets})"
    return f"There are {', '.join(sorted(known)) or 'none'}."


@app.command("journey")
def journey_command(
    folder: Annotated[Path, typer.Argument(help="Folder of programme files.")] = DEFAULT,
) -> None:
    """Show the touchpoints along the customer's life."""
    report = report_on(folder, LOCALES)
    for stage in journey([c.edition for c in report.programmes], report.groups.groups):
        console.print(f"\n{stage.name or 'elsewhere'}", style="bold", highlight=False)
        for stop in stage.stops:
            aim = f" {stop.objective}{': ' + stop.goal if stop.goal else ''}" if stop.objective else ""
            told = f"  {stop.asks} {stop.moment}"
            console.print(Text.assemble("  ", (stop.key, "cyan"), told, (aim, "dim")))
            console.print(f"    {stop.whom}", style="dim", highlight=False)


@app.command()
def ask(
    key: Annotated[str, typer.Argument(help="A programme with on: manual.")],
    file: Annotated[Path, typer.Option("--csv", help="People, a line each; the head names the columns.")],
    reference: Annotated[str, typer.Option(help="The same reference again asks nobody twice.")] = "",
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """Ask people of a file by hand; the gate applies. Lines that cannot be used are named."""
    lines = read_csv(file.read_text("utf-8"))
    for line in lines:
        if line.problem:
            console.print(Text.assemble((f"line {line.number}", "red"), f": {line.problem}"))
    people = [line.asked for line in lines if line.asked]

    async def job() -> Counter[Taken]:
        async with opened("trigger", data) as platform, platform.db.begin() as tx:
            marked = reference or hashlib.sha256(file.read_bytes()).hexdigest()
            return Counter(await ask_by_hand(tx, platform.sealer, key, people, reference=marked, by="CLI"))

    try:
        counted = asyncio.run(job()) if people else Counter[Taken]()
    except NotByHandError as error:
        console.print(f"{error}.", style="red", highlight=False)
        raise typer.Exit(1) from None
    known = counted[Taken.DUPLICATE] + counted[Taken.CONFLICT]
    console.print(f"{counted[Taken.ACCEPTED]} taken, {known} known already.", highlight=False)
    if any(line.problem for line in lines):
        raise typer.Exit(1)


@app.command("learned")
def learned_command(
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """Show when people answer, as far as it is learned, with the interval of each share."""

    async def job() -> list[SegmentShown]:
        async with opened("trigger", data) as platform, platform.db.read() as conn:
            found = await lessons(conn)
            return shown(((one.segment, one.slot, one.seen) for one in found), await current_editions(conn))

    segments = asyncio.run(job())
    if not segments:
        console.print("Nothing is learned yet: six days after a survey was sent it counts.")
    for segment in segments:
        console.print(Text.assemble((segment.who, "bold"), " ", (segment.segment, "cyan")))
        console.print(f"  {segment.verdict} {segment.follows}", highlight=False)
        table = Table("when", "asked", "answered", "share", "lies between", "expected")
        for slot in segment.slots:
            marks = f"{' taken' if slot.best else ''}{' (guides)' if slot.guides else ''}"
            interval = f"{slot.low:.0%} - {slot.high:.0%}" if slot.asked else ""
            share = f"{slot.answered / slot.asked:.0%}" if slot.asked else "not tried"
            counts = (str(slot.asked), str(slot.answered), share, interval, f"{slot.believed:.0%}")
            table.add_row(f"{slot.words}{marks}", *counts)
        console.print(table)


@app.command("moments")
def moments_command(
    sketch: Annotated[str, typer.Option(help="Write the programme of this moment, to be copied.")] = "",
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """Show moments of heavy use, of seeking help and of renewal that may be worth a question."""

    async def job() -> list[Candidate]:
        async with opened("trigger", data) as platform, platform.db.read() as conn:
            return await offered(conn, platform.clock.now().date())

    found = asyncio.run(job())
    if sketch:
        wanted = [one.sketch for one in found if one.key == sketch]
        if not wanted:
            console.print(f"There is no moment {sketch!r}.", style="red", highlight=False)
            raise typer.Exit(1)
        typer.echo(wanted[0], nl=False)
        return
    for one in found:
        console.print(Text.assemble((one.title, "bold"), " ", (one.key, "cyan")))
        accounts = f"{one.spotted.accounts} account{'s' if one.spotted.accounts != 1 else ''}"
        console.print(f"  {one.why} {accounts}; {one.delay}.", highlight=False)
        if one.asked_by:
            console.print(f"  asked about by {one.asked_by}", style="dim", highlight=False)
        if one.set_aside:
            console.print(f"  set aside on {one.set_aside.at:%Y-%m-%d}", style="dim", highlight=False)
    if not found:
        console.print("Nothing stands out: it takes at least three people, and once a day it is looked.")


@app.command("test")
def try_command(
    key: Annotated[str, typer.Argument(help="The programme's key.")],
    to: Annotated[str, typer.Option(help="Who gets it: an e-mail address.")],
    locale: Annotated[str, typer.Option(help="Language and country, for example sv.")] = "en",
    persona: Annotated[Persona | None, typer.Option(help="As whom.")] = None,
    answer_like: Annotated[
        str, typer.Option(help="Say what an answer brings: detractor, passive, promoter, or any mood.")
    ] = "",
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """Send somebody a test: the real mail and the real page, marked as a test, counted nowhere."""
    like = ALSO.get(answer_like) or next((one for one in Like if one == answer_like), None)
    problem = "" if reach_of(to)[0] is Reach.OK else f"{to!r} is not one e-mail address"
    if answer_like and like is None:
        problem = f"{answer_like!r} is nobody; write {', '.join((*ALSO, *Like))}"
    if problem:
        console.print(f"{problem}.", style="red", highlight=False)
        raise typer.Exit(1)
    trial = Trial(email=to, locale=locale, persona=persona, like=like, reference=str(random_id()))

    async def job() -> Sent:
        async with opened("trigger", data) as platform, platform.db.begin() as tx:
            return await send_trial(tx, platform.sealer, platform.tokens, key, trial, by="CLI")

    try:
        _say_sent(to, asyncio.run(job()))
    except NoTrialError as error:
        console.print(f"{error}.", style="red", highlight=False)
        raise typer.Exit(1) from None


def _say_sent(to: str, sent: Sent) -> None:
    console.print(
        f"On its way to {to} ({sent.locale}). Its page: {sent.link}", highlight=False, soft_wrap=True
    )
    if sent.expected:
        console.print(f"Answered with {sent.expected.score}, it asks:", highlight=False)
        for question in sent.expected.questions:
            console.print(f"  {question}", highlight=False)
        console.print(f"and then follows: {'; '.join(sent.expected.follows) or 'nothing'}.", highlight=False)


@app.command("replan")
def replan_command(
    key: Annotated[str, typer.Argument(help="The programme's key.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of them.")] = False,  # noqa: FBT002 - a switch
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before.")] = False,  # noqa: FBT002 - a switch
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """Make plans of old editions anew by the programme as it is now, or call them off; counted before."""
    try:
        counted = asyncio.run(_replan(key, data, dry=True))
        console.print(_counts(key, counted))
        if dry_run or not counted:
            return
        if not yes and not typer.confirm("Do it?"):
            raise typer.Exit(1)
        console.print(f"{asyncio.run(_replan(key, data, dry=False)).total()} plans done.", highlight=False)
    except NothingToReplanError as error:
        console.print(f"{error}.", style="red", highlight=False)
        raise typer.Exit(1) from None


async def _replan(key: str, data: Path, *, dry: bool) -> Counter[str]:
    """All pages, each in a transaction of its own."""
    counted: Counter[str] = Counter()
    after: UUID | None = None
    async with opened("trigger", data) as platform:
        while True:
            async with platform.db.begin() as tx:
                page = await replan_page(tx, key, after, dry=dry)
            counted += page.counts
            after = page.after
            if after is None:
                return counted


def _counts(key: str, counted: Counter[str]) -> Table | str:
    if not counted:
        return f"No plan of {key} waits that was made with an older edition."
    table = Table("plans", "what becomes of them")
    words = {"kept": "asked at the same time, by the new edition", "moved": "asked at another time"}
    for outcome, number in counted.most_common():
        table.add_row(str(number), words.get(outcome) or f"called off: {because(Reason(outcome))}")
    return table


def report_on(folder: Path, locales: tuple[str, ...]) -> Report:
    """What a check of a folder finds; says so and ends when there is no programme file."""
    files = read_folder(folder) if folder.is_dir() else []
    if not files:
        console.print(differences.nothing_at(folder, "Give the folder that it is in."), style="red")
        raise typer.Exit(1)
    if folder.name != PRESETS:
        return check(files, locales)
    # Presets are alternatives: those of one industry do not run beside those of another.
    shared = [(name, text) for name, text in files if name == GROUPS_FILE]
    reports = [check([one, *shared], locales) for one in files if one[0] != GROUPS_FILE]
    return Report(
        tuple(checked for report in reports for checked in report.programmes),
        tuple(dict.fromkeys(finding for report in reports for finding in report.findings)),
        reports[0].groups,
    )


def _card(checked: Checked, groups: Mapping[str, Group]) -> Table:
    rules = checked.edition.programme
    table = Table(
        title=f"{checked.edition.key}: {rules.title.get('en', '')}", show_header=False, title_justify="left"
    )
    table.add_column(style="bold")
    table.add_column()
    table.add_row("file", checked.file)
    table.add_row("edition", f"{checked.edition.version} ({rules.state})")
    for name, text in rows_of(rules, groups.get(rules.group), checked.document.data.get("variants", ())):
        table.add_row(name, Text(text))
    return table
