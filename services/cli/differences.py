"""`afterword programmes diff`: what is different between two folders, two files, or files and what runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from services.cli.deployment import DATA_DIR, opened
from services.trigger.domain.changes import Change, changes
from services.trigger.domain.findings import GROUPS_FILE, Severity
from services.trigger.domain.reading import read_file, read_groups
from services.trigger.store import programmes as store
from services.trigger.worker.publisher import read_folder
from shared.config.files import text_of

console = Console(markup=False, highlight=False)
DEFAULT = Path("programmes")
RUNNING = "what runs"
GROUP = "group "
"""How the keys of groups begin here; no programme's can."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared.

    Attributes:
        name: what to call it.
        definitions: by key; groups too.
        whole: whether what is not in it is missed; one file says nothing of other programmes.
    """

    name: str
    definitions: Mapping[str, Any]
    whole: bool


def command(
    one: Annotated[Path | None, typer.Argument(help="A folder or a file: how it was.")] = None,
    other: Annotated[
        Path | None, typer.Argument(help="A folder or a file: how it is now; else the folder of --folder.")
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", help="Folder of programme files.")] = DEFAULT,
    *,
    running: Annotated[bool, typer.Option("--running", help="Compare with what is published.")] = False,
    data: Annotated[Path, typer.Option("--data", help="Directory of the embedded deployment.")] = DATA_DIR,
) -> None:
    """Show what is different, key by key: of two folders, two files, or of one of them and what runs."""
    if running and other:
        raise typer.BadParameter("compares one folder or file with what runs", param_hint="--running")
    if not running and one is None:
        raise typer.BadParameter("name a folder or a file, or say --running", param_hint="ONE")
    if running:
        before, after = asyncio.run(_running(data)), side_of(one or folder)
    else:
        before, after = side_of(one or folder), side_of(other or folder)
    before, after = _alike(before, after)
    found = list(changes(before.definitions, after.definitions))
    if not found:
        console.print(f"No difference: {len(after.definitions)} programmes and groups are the same.")
    for line in lines_of(found, before.name, after.name):
        console.print(line, soft_wrap=True)


def nothing_at(path: Path, of_a_file: str) -> str:
    """Why no programme was found at a place; `of_a_file` is what is said of one that is a file."""
    if path.is_dir():
        return f"There is no programme file (*.yaml) in {path}."
    return f"{path} is a file. {of_a_file}" if path.exists() else f"There is no folder or file {path}."


def side_of(path: Path) -> Side:
    """The programmes and groups of a folder or a file; what cannot be read is said, and left out."""
    files = read_folder(path) if path.is_dir() else [(path.name, text)] if (text := text_of(path)) else []
    if not files:
        console.print(nothing_at(path, "It is empty, or cannot be read."), style="red")
        raise typer.Exit(1)
    found: dict[str, Any] = {}
    for name, text in files:
        if Path(name).name == GROUPS_FILE:
            groups, complaints = read_groups(name, text)
            found |= {f"{GROUP}{key}": told for key, told in groups.definitions.items()}
        else:
            read, complaints = read_file(name, text)
            found |= {checked.edition.key: checked.definition for checked in read}
        for one in complaints:
            if one.severity is Severity.ERROR:
                console.print(Text.assemble(("Left out: ", "yellow"), one.text), soft_wrap=True)
    return Side(str(path), found, whole=path.is_dir())


def lines_of(found: Iterable[Change], before: str, after: str) -> list[str]:
    """The differences as text, under each programme: + is new, - is gone, ~ is another value."""
    lines: list[str] = []
    last = None
    for change in found:
        if not change.path:
            where = after if change.before is None else before
            lines += ["", f"{change.programme}: only in {where}"]
        elif change.programme != last:
            lines += ["", change.programme]
        last = change.programme
        if not change.path:
            continue
        if change.before is None:
            lines.append(f"  + {change.path}: {change.after}")
        elif change.after is None:
            lines.append(f"  - {change.path}: {change.before}")
        elif len(change.before) + len(change.after) < SHORT:
            lines.append(f"  ~ {change.path}: {change.before} -> {change.after}")
        else:
            lines += [f"  ~ {change.path}:", f"      was {change.before}", f"      is  {change.after}"]
    return lines[1:]


SHORT = 70


async def _running(data: Path) -> Side:
    async with opened("trigger", data) as platform, platform.db.read() as conn:
        groups = await store.groups(conn)
        found = await store.running(conn)
    return Side(RUNNING, found | {f"{GROUP}{key}": told for key, told in groups.items()}, whole=True)


def _alike(before: Side, after: Side) -> tuple[Side, Side]:
    """Both sides by the keys that are to be compared: beside a file, only those that it has."""
    if before.whole == after.whole:
        return before, after
    keys = (after if before.whole else before).definitions.keys()
    return _only(before, keys), _only(after, keys)


def _only(side: Side, keys: Iterable[str]) -> Side:
    kept = {key: side.definitions[key] for key in keys if key in side.definitions}
    return Side(side.name, kept, side.whole)
