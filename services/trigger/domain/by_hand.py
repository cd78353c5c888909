"""Asks by hand: who is to be asked what, as a request or a line of a CSV file says it (R29, R36)."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.trigger.domain.directory import is_zone
from services.trigger.domain.when import BY_HAND
from shared.contracts.envelope import describe
from shared.contracts.model import Instant, Persona
from shared.contracts.touchpoints import Subject, Touchpoint, TouchpointAccount, TouchpointContact

MOST = 1000
"""People of one request."""

EVENT = BY_HAND
SOURCE = "/by-hand"


class AskedByHand(BaseModel):
    """One person to be asked; an id, an address or a phone number says who. `account` is the backend's id."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(default="", max_length=200)
    email: str = Field(default="", max_length=320)
    phone: str = Field(default="", max_length=40)
    name: str = Field(default="", max_length=200)
    locale: str = Field(default="", max_length=35)
    zone: str = ""
    persona: Persona | None = None
    role: str = Field(default="", max_length=60)
    account: str = Field(default="", max_length=200)
    product: str = Field(default="", max_length=200)
    subject: Subject | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> AskedByHand:
        if not (self.id or self.email or self.phone):
            raise ValueError("one of id, email and phone says who is to be asked")
        if self.zone and not is_zone(self.zone):
            raise ValueError(f"zone: there is no time zone {self.zone!r}")
        return self


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, counted from 1 with its head: somebody to be asked, or what is wrong with it."""

    number: int
    asked: AskedByHand | None
    problem: str = ""


COLUMNS = (*(name for name in AskedByHand.model_fields if name != "subject"), "subject_kind", "subject_id")


def touchpoint_of(asked: AskedByHand, programme: str, by: str, at: Instant) -> Touchpoint:
    """The event by which a programme asks somebody by hand."""
    person = TouchpointContact(
        id=asked.id,
        email=asked.email,
        phone=asked.phone,
        name=asked.name,
        locale=asked.locale,
        zone=asked.zone,
        persona=asked.persona,
        role=asked.role,
    )
    return Touchpoint(
        occurred_at=at,
        contact=person,
        account=TouchpointAccount(id=asked.account) if asked.account else None,
        product=asked.product,
        subject=asked.subject,
        context={"programme": programme, "by": by},
    )


def read_csv(text: str) -> list[Line]:
    """Read people from CSV with a head; every line that cannot be used says why."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        head = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        return [Line(1, None, f"not readable as CSV: {error}")]
    if unknown := [name for name in head if name not in COLUMNS]:
        return [Line(1, None, f"unknown column {unknown[0]!r}; known are {', '.join(COLUMNS)}")]
    lines: list[Line] = []
    try:
        lines.extend(_line(rows.line_num, head, row) for row in rows if any(cell.strip() for cell in row))
    except csv.Error as error:
        lines.append(Line(rows.line_num, None, f"not readable as CSV: {error}"))
    return lines


def _line(number: int, head: list[str], row: list[str]) -> Line:
    if len(row) > len(head):
        return Line(number, None, f"{len(row)} cells, but the head has {len(head)}")
    cells = {name: cell.strip() for name, cell in zip(head, row, strict=False) if cell.strip()}
    kind, subject_id = cells.pop("subject_kind", ""), cells.pop("subject_id", "")
    told = {"kind": kind, "id": subject_id} if kind or subject_id else None
    try:
        return Line(number, AskedByHand.model_validate({**cells, "subject": told}))
    except ValidationError as error:
        return Line(number, None, describe(error))
