"""`afterword forms`: is `forms.yaml` fit to run, what becomes of an answer, and what could not be used?"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from services.cli.deployment import DATA_DIR, opened
from services.cli.programmes import report_on
from services.collector.domain.form_answers import Read, RefusedError, read_told
from services.collector.domain.forms import FormRule, FormsFile, asked, misfits, read_forms
from services.collector.domain.typeform import BadBodyError, read_webhook
from services.collector.store import forms as store
from shared.config.check import Checked, Complaint
from shared.contracts.forms import Form

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False)
DEFAULT = Path("forms.yaml")
PROGRAMMES = Path("programmes")
LOCALES = ("en",)
"""Here it does not matter in which languages a programme asks."""

SHOWN = 500
File = Annotated[Path, typer.Option("--file", help="The file that names the forms.")]
Programmes = Annotated[Path, typer.Option("--programmes", help="Folder of programmes.")]


@app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(help="The file that names the forms.")] = DEFAULT,
    programmes: Programmes = PROGRAMMES,
) -> None:
    """Read the file beside its programmes and say what is wrong, where, and what to do. Exit code 1 then."""
    known = forms_of_programmes(programmes)
    forms = read_file(file, known)
    programmes_used = len({one.programme for one in forms.forms.values()})
    count = f"{len(forms.forms)} forms, {programmes_used} programmes, 0 errors."
    console.print(count, style="green", highlight=False)


@app.command("try")
def try_command(
    body: Annotated[
        Path, typer.Argument(help="A webhook's body as Typeform sent it; - reads standard input.")
    ],
    file: File = DEFAULT,
    programmes: Programmes = PROGRAMMES,
) -> None:
    """Show what one answer to a Typeform becomes, without taking it in."""
    known = forms_of_programmes(programmes)
    forms = read_file(file, known)
    raw = typer.get_binary_stream("stdin").read() if str(body) == "-" else body.read_bytes()
    try:
        found = read_webhook(raw)
        if found is None:
            console.print("It would be ignored: it is no whole response.")
            return
        key = forms.typeform(found.form_id)
        if key is None:
            _fail(f"forms.yaml names no Typeform {found.form_id}. Add it there: docs/forms.md.")
        rule = forms.forms[key]
        read = read_told(key, rule, asked(rule, known[rule.programme]), found.told, found.told.at)
    except BadBodyError as error:
        _fail(str(error))
    except RefusedError as error:
        _fail(f"{error}. {error.trouble.what_to_do}")
    console.print_json(json.dumps(_shown(rule, read), default=str))


@app.command("findings")
def findings_command(
    form: Annotated[str, typer.Option("--form", help="Of this form alone, by its key.")] = "",
    *,
    mended: Annotated[bool, typer.Option("--mended", help="Also what was taken after all.")] = False,
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """List what could not be used of answers, and why."""
    found = asyncio.run(_findings(form, data, mended=mended))
    for one in found:
        head = ((one["what"], "red bold"), " ", (one["form"], "bold"), f" {one['token']}")
        times = f", {one['times']} times" if one["times"] > 1 else ""
        console.print(Text.assemble(*head, (f" {_moment(one['last_at'])}{times}", "dim")))
        where = f"{one['field']}: " if one["field"] else ""
        todo = (f" {one['what_to_do']}", "dim")
        console.print(Text.assemble("  ", (where, "cyan"), f"{one['reason']}.", todo))
    console.print(f"{len(found)} findings." if found else "Everything could be used.")


async def _findings(form: str, data: Path, *, mended: bool) -> list[dict[str, Any]]:
    async with opened("collector", data) as platform, platform.db.read() as conn:
        return await store.findings(conn, form, 0, SHOWN, mended=mended)


def forms_of_programmes(folder: Path) -> dict[str, Form]:
    """What each programme of a folder asks, by key."""
    report = report_on(folder, LOCALES)
    return {one.edition.key: one.edition.programme.form for one in report.programmes}


def read_file(file: Path, known: dict[str, Form]) -> FormsFile:
    """The file, checked against the programmes.

    Raises:
        Exit: It is not fit to run; what is wrong was printed.
    """
    if not file.is_file():
        _fail(f"There is no file {file}.")
    checked = read_forms(file.read_text(encoding="utf-8"))
    complaints = [*checked.complaints, *_unfit(checked, known)]
    for one in complaints:
        console.print(Text.assemble((f"{file}:{one.line}", "bold"), " ", (one.path, "cyan")))
        console.print(Text.assemble(f"  {one.reason}. ", (one.what_to_do, "dim")))
    if complaints or checked.value is None:
        _fail(f"{len(complaints)} errors.")
    return checked.value


def _unfit(checked: Checked[FormsFile], known: dict[str, Form]) -> list[Complaint]:
    found = []
    for key, rule in checked.value.forms.items() if checked.value else ():
        form = known.get(rule.programme)
        if form is None:
            there = ", ".join(sorted(known)) or "none"
            found.append(
                checked.complain(
                    ("forms", key, "programme"), f"there is no programme {rule.programme}", f"Known: {there}."
                )
            )
        else:
            found += [
                checked.complain(("forms", key, *one.place), one.reason, one.what_to_do)
                for one in misfits(rule, form)
            ]
    return found


def _shown(rule: FormRule, read: Read) -> dict[str, object]:
    told = {name: value for name, value in asdict(read).items() if value}
    return {"programme": rule.programme, **told}


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _fail(reason: str) -> NoReturn:
    console.print(reason, style="red", highlight=False)
    raise typer.Exit(1)
