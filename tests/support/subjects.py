"""A letter with two subjects that are tried against each other."""

from __future__ import annotations

from shared.contracts.forms import Letter, SubjectLine

LINES = {"first": "How is {product} doing?", "minute": "One minute for {product}?"}
LETTER = Letter(
    subject={"en": LINES["first"]},
    subjects=tuple(SubjectLine(id=name, text={"en": text}) for name, text in LINES.items()),
)
