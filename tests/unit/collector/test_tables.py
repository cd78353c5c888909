"""Answers as rows: which columns there are, and that no cell is a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collector.domain.tables import columns, row
from shared.contracts.forms import Form, Item, Question, QuestionType
from shared.tables import Kind, harmless


def form(*questions: Question) -> Form:
    return Form(primary=questions[0].id, low=1, title={"en": "x"}, questions=questions)


def question(name: str, kind: QuestionType, *items: str) -> Question:
    made = tuple(Item(id=item, text={"en": item}) for item in items)
    return Question(id=name, type=kind, text={"en": name}, items=made)


@pytest.mark.requirement("R2")
def test_two_scales_never_share_a_column() -> None:
    shape = columns(
        [form(question("nps", QuestionType.NPS)), form(question("nps", QuestionType.NPS5))],
    )
    assert [column.name for column in shape[-2:]] == ["nps:nps", "nps:nps5"]


@pytest.mark.requirement("R41", "R42")
def test_each_question_and_each_row_of_a_matrix_has_a_column() -> None:
    shape = columns(
        [
            form(
                question("csat", QuestionType.CSAT),
                question("drivers", QuestionType.MATRIX, "speed", "value"),
                question("choice", QuestionType.BRAND, "price", "quality"),
                question("why", QuestionType.TEXT),
                question("quote", QuestionType.CONSENT),
            )
        ]
    )
    assert [(one.name, one.kind) for one in shape[-6:]] == [
        ("csat:csat", Kind.NUMBER),
        ("drivers:matrix:speed", Kind.NUMBER),
        ("drivers:matrix:value", Kind.NUMBER),
        ("choice:brand", Kind.TEXT),
        ("why:text", Kind.TEXT),
        ("quote:consent", Kind.TRUTH),
    ]
    item = dict.fromkeys(column.name for column in shape) | {
        "changed_at": "2026-03-03T10:00:00+00:00", "first_at": "2026-03-03T10:00:00+00:00",
        "received_at": "2026-03-03T10:00:00+00:00",
        "scores": [
            {"question": "csat", "item": "", "type": "csat", "value": 2},
            {"question": "drivers", "item": "value", "type": "matrix", "value": 4},
        ],
        "choices": {"choice": ["price", "quality"], "quote": ["yes"]},
        "texts": {"why": "Slow"},
    }  # fmt: skip
    assert row(item, shape)[-6:] == [2, None, 4, "price; quality", "Slow", True]


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_what_could_begin_a_formula_is_disarmed(start: str) -> None:
    assert harmless(f"{start}cmd|'/c calc'!A0") == f"'{start}cmd|'/c calc'!A0"


@given(st.text())
def test_no_cell_of_a_file_begins_as_a_formula(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerow([harmless(text), "x"])
    file.seek(0)
    read = next(csv.reader(file))[0]
    assert not read.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert read in (text, f"'{text}")
