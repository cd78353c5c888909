"""What is taken back for good on a terminal: which one is meant, and is it sure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import typer
from rich.console import Console

console = Console(markup=False, highlight=False)
SHORT = 8
"""Letters of an id that people type."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Labelled(Generic[T]):
    """A thing with an id and a label that need not be its own; `stands`: it is not taken back yet."""

    thing: T
    id: str
    label: str
    stands: bool


def meant(known: Iterable[Labelled[T]], text: str) -> list[Labelled[T]]:
    """Which are meant by an id, an id's first letters, or a label; the newest is first in `known`.

    Of several of a label those that stand, and where none does the newest.
    """
    things, begins = list(known), text.strip().lower()
    by_id = [one for one in things if len(begins) >= SHORT and one.id.startswith(begins)]
    called = [one for one in things if one.label == text.strip()]
    return by_id or [one for one in called if one.stands] or called[:1]


def the_one(known: Iterable[Labelled[T]], text: str, kind: str) -> T:
    """The one that is meant.

    Args:
        known: All there are, the newest first.
        text: What was typed.
        kind: What they are, as "shared link".

    Raises:
        Exit: None is, or several are; which was printed.
    """
    found = meant(known, text)
    if len(found) == 1:
        return found[0].thing
    said = ", ".join(f"{one.label} {one.id[:SHORT]}" for one in found)
    several = f"Several are called {text!r}: {said}; give the id."
    console.print(several if found else f"There is no {kind} {text!r}.", style="red")
    raise typer.Exit(1)


def sure(name: str, *, stands: bool, yes: bool) -> bool:
    """Whether to take it back: False for one that was before, which is said.

    Raises:
        Exit: Somebody was asked and said no.
    """
    if not stands:
        console.print(f"{name} was taken back before.")
        return False
    if not yes and not typer.confirm(f"Take back {name}? It cannot be undone."):
        raise typer.Exit(1)
    return True
