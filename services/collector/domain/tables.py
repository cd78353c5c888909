"""Answers as rows of a table: the columns that some forms make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.contracts.forms import SCALES, Form, Question, QuestionType
from shared.tables import Cell, Column, Kind

_FIXED: Sequence[tuple[str, Kind]] = (
    ("response_id", Kind.TEXT),
    ("survey_id", Kind.TEXT),
    ("state", Kind.TEXT),
    ("changed_at", Kind.INSTANT),
    ("first_at", Kind.INSTANT),
    ("received_at", Kind.INSTANT),
    ("version", Kind.NUMBER),
    ("complete", Kind.TRUTH),
    ("programme", Kind.TEXT),
    ("family", Kind.TEXT),
    ("touchpoint", Kind.TEXT),
    ("contact_id", Kind.TEXT),
    ("account_id", Kind.TEXT),
    ("account_name", Kind.TEXT),
    ("tier", Kind.TEXT),
    ("persona", Kind.TEXT),
    ("industry", Kind.TEXT),
    ("region", Kind.TEXT),
    ("product", Kind.TEXT),
    ("locale", Kind.TEXT),
    ("channel", Kind.TEXT),
    ("mood", Kind.TEXT),
    ("verdict", Kind.TEXT),
    ("incentive", Kind.TRUTH),
)


def columns(forms: Iterable[Form]) -> list[Column]:
    """The fixed columns, then one per question and row of a matrix, named `id:type` and `id:type:item`.

    The type is in the name, so that two scales are never mixed in one column (R2).
    """
    asked = {name: kind for form in forms for question in form.questions for name, kind in _of(question)}
    return [Column(name, kind) for name, kind in (*_FIXED, *asked.items())]


def _of(question: Question) -> Iterable[tuple[str, Kind]]:
    name = f"{question.id}:{question.type}"
    if question.type is QuestionType.MATRIX:
        yield from ((f"{name}:{item.id}", Kind.NUMBER) for item in question.items)
    elif question.type is QuestionType.CONSENT:
        yield name, Kind.TRUTH
    else:
        yield name, Kind.NUMBER if question.type in SCALES else Kind.TEXT


def row(item: Mapping[str, Any], shape: Sequence[Column]) -> list[Cell]:
    """The cells of an answer as `Listing` gives it; several chosen options stand with semicolons between."""
    cells: dict[str, Cell] = {column.name: _fixed(item, column) for column in shape[: len(_FIXED)]}
    for score in item["scores"]:
        name = f"{score['question']}:{score['type']}"
        cells[f"{name}:{score['item']}" if score["item"] else name] = score["value"]
    for column in shape[len(_FIXED) :]:
        question = column.name.partition(":")[0]
        if column.name in cells:
            continue
        if column.kind is Kind.TRUTH:
            cells[column.name] = True if question in item["choices"] else None
        elif column.kind is Kind.TEXT:
            chosen = item["choices"].get(question)
            cells[column.name] = "; ".join(chosen) if chosen else item["texts"].get(question)
    return [cells.get(column.name) for column in shape]


def _fixed(item: Mapping[str, Any], column: Column) -> Cell:
    value: Cell = item[column.name]
    return datetime.fromisoformat(str(value)) if column.kind is Kind.INSTANT else value
