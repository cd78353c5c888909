"""What all parts of a programme share: strict and immutable; spans, names and texts as they are written."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from services.trigger.domain.timing import Span


class Rules(BaseModel):
    """Base of all parts of a programme."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


def _span(value: object) -> object:
    if isinstance(value, str):
        return Span.parse(value)
    if isinstance(value, Span):
        return value
    raise ValueError("write a number and h, d, mo or y, for example 14d")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_SPAN_SCHEMA = {
    "type": "string",
    "pattern": r"^\d{1,4}(h|d|mo|y)$",
    "examples": ["2h", "14d", "3mo", "1y"],
}
_NAMES_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

SpanText = Annotated[
    Span, BeforeValidator(_span), PlainSerializer(lambda span: span.text), WithJsonSchema(_SPAN_SCHEMA)
]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), WithJsonSchema(_NAMES_SCHEMA)]
Texts = Annotated[dict[str, str], Field(min_length=1)]
KEY, PART, HTTPS = r"^[a-z][a-z0-9-]{1,62}$", r"^[a-z][a-z0-9_]{0,39}$", r"^https://[^\s<>\"']{3,480}$"
PATTERNS = {
    KEY: ("key", "Write 2 to 63 lower-case letters, digits or -, a letter first."),
    PART: ("name", "Write up to 40 lower-case letters, digits or _, a letter first."),
    HTTPS: ("https address", "Write one that begins with https:// and has no spaces."),
}
"""What each pattern is for, and what to write instead of what does not fit."""

Key = Annotated[str, Field(pattern=KEY)]
PartId = Annotated[str, Field(pattern=PART)]
HttpsUrl = Annotated[str, Field(pattern=HTTPS)]
