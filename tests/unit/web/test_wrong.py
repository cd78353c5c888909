"""What models find is said in plain words, and never quotes a value."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.contracts.model import Tier
from shared.contracts.touchpoints import Touchpoint
from shared.web.paths import PLAIN
from shared.wrong import reason_of

SECRET = "anna@kund.example"


class Everything(BaseModel):
    """A field of each kind."""

    model_config = ConfigDict(extra="forbid")

    needed: int = 0
    text: Annotated[str, Field(min_length=1, max_length=5, pattern=PLAIN)] = "x"
    pair: Annotated[str, Field(min_length=2)] = "xy"
    tier: Tier | None = None
    flag: bool = False
    number: Annotated[float, Field(ge=0, le=9, allow_inf_nan=False)] = 0
    at: datetime | None = None
    aware: AwareDatetime | None = None
    day: date | None = None
    who: UUID | None = None
    inner: Touchpoint | None = None
    some: Annotated[list[int], Field(max_length=2)] = []

    @field_validator("needed")
    @classmethod
    def _not_seven(cls, given: int) -> int:
        if given == 7:
            raise ValueError("seven is taken")
        return given


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("needed", SECRET, "not a number"),
        ("needed", 7, "seven is taken"),
        ("text", 5, "must be a text"),
        ("text", SECRET, "longer than 5 characters"),
        ("text", "", "must not be empty"),
        ("text", "a\x00", "holds a zero byte"),
        ("pair", "x", "shorter than 2 characters"),
        ("tier", SECRET, "must be small, key or premium"),
        ("flag", SECRET, "must be true or false"),
        ("number", -1, "must be 0 or more"),
        ("number", 10, "must be 9 or less"),
        ("number", "nan", "not a number"),
        ("at", SECRET, "not an instant, as 2026-03-01T12:00:00Z"),
        ("aware", "2026-03-01T12:00:00", "has no zone; write it as 2026-03-01T12:00:00Z"),
        ("day", "01.03.2026", "not a day, as 2026-03-01"),
        ("who", SECRET, "not an id (a UUID)"),
        ("inner", SECRET, "must be an object"),
        ("some", SECRET, "must be a list"),
        ("some", [1, 2, 3], "more than 2 of them"),
        ("other", SECRET, "there is no such field; check its spelling"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(field: str, value: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate({field: value})
    (found,) = caught.value.errors()
    assert reason_of(found) == words
    assert SECRET not in reason_of(found)


def test_what_is_missing_is_called_so() -> None:
    with pytest.raises(ValidationError) as caught:
        Touchpoint.model_validate({"product": "x"})
    assert [reason_of(one) for one in caught.value.errors()] == ["missing"]
