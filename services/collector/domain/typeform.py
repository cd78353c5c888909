"""Typeform's webhook: the body of a `form_response` as an answer.

Read as https://www.typeform.com/developers/webhooks/example-payload/ describes it; fields that are not named
here are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.collector.domain.form_answers import Told
from services.collector.domain.forms import Scale
from shared.contracts.envelope import describe
from shared.contracts.model import Instant

ANSWERED = "form_response"
NPS = Scale(0, 10)
MOST = 500
"""Answers of one response that are read."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Field(_Part):
    id: str = Field(default="", max_length=200)
    ref: str = Field(default="", max_length=300)
    type: str = Field(default="", max_length=60)


class _Choice(_Part):
    label: str = ""
    other: str = ""


class _Choices(_Part):
    labels: tuple[str, ...] = ()
    other: str = ""


class _Answer(_Part):
    field: _Field
    type: str
    choice: _Choice | None = None
    choices: _Choices | None = None
    boolean: bool | None = None
    number: int | float | None = None
    text: str | None = None
    email: str | None = None
    date: str | None = None
    phone_number: str | None = None
    url: str | None = None
    file_url: str | None = None

    def given(self) -> tuple[str, ...]:
        """What was answered, in words."""
        if self.choices:
            return tuple(one for one in (*self.choices.labels, self.choices.other) if one)
        if self.choice:
            return tuple(one for one in (self.choice.label or self.choice.other,) if one)
        if self.boolean is not None:
            return ("yes" if self.boolean else "no",)
        if self.number is not None:
            return (f"{self.number:g}",)
        plain = (self.text, self.email, self.date, self.phone_number, self.url, self.file_url)
        return tuple(one for one in plain if one)


class _Variable(_Part):
    key: str = Field(max_length=200)
    number: int | float | None = None
    text: str | None = None


class _Response(_Part):
    form_id: str = Field(min_length=1, max_length=200)
    token: str = Field(min_length=1, max_length=200)
    submitted_at: Instant
    hidden: dict[str, str | int | float | None] = Field(default_factory=dict)
    variables: tuple[_Variable, ...] = Field(default=(), max_length=MOST)
    answers: tuple[_Answer, ...] = Field(default=(), max_length=MOST)


class _Kind(_Part):
    event_type: str = Field(max_length=100)


class _Call(_Part):
    form_response: _Response


class BadBodyError(ValueError):
    """A body is no webhook of Typeform's; the message begins with the field."""


@dataclass(frozen=True, slots=True)
class FormResponse:
    """A response to a form."""

    form_id: str
    told: Told


def read_webhook(body: bytes) -> FormResponse | None:
    """The response that a webhook tells of; None for another event, as a part of one that is not sent yet.

    Raises:
        BadBodyError: It cannot be read.
    """
    try:
        if _Kind.model_validate_json(body).event_type != ANSWERED:
            return None
        found = _Call.model_validate_json(body).form_response
    except ValidationError as error:
        raise BadBodyError(describe(error)) from error
    values = dict(_values(found))
    scales = {
        name: NPS
        for one in found.answers
        if one.field.type == "nps"
        for name in (one.field.id, one.field.ref)
        if name
    }
    return FormResponse(found.form_id, Told(found.token, found.submitted_at, values, scales))


def _values(found: _Response) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in found.answers:
        for name in (one.field.id, one.field.ref):
            if name:
                yield name, one.given()
    for variable in found.variables:
        value: Any = variable.text if variable.number is None else f"{variable.number:g}"
        if value:
            yield f"variables.{variable.key}", (value,)
    for name, hidden in found.hidden.items():
        if hidden not in {None, ""}:
            yield f"hidden.{name}", (str(hidden),)
