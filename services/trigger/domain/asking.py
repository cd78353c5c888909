"""The questions of a programme, with the conditions under which each is put."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from services.trigger.domain.drivers import DRIVERS
from services.trigger.domain.parts import PartId, Rules, Texts
from shared.contracts.forms import Bounds, Item, Question, QuestionType


class Choice(Rules):
    """A row of a matrix or an option."""

    id: PartId
    text: Texts


def _choice(value: object) -> object:
    """A bare name stands for a driver attribute whose words are known (R41)."""
    if not isinstance(value, str):
        return value
    if value not in DRIVERS:
        raise ValueError(
            f"{value!r} is no known driver; write id and text, or one of {', '.join(sorted(DRIVERS))}"
        )
    return {"id": value, "text": DRIVERS[value]}


_CHOICE_SCHEMA = {"anyOf": [{"enum": sorted(DRIVERS)}, Choice.model_json_schema()]}
NamedChoice = Annotated[Choice, BeforeValidator(_choice), WithJsonSchema(_CHOICE_SCHEMA)]


class AnswerBound(Rules):
    """A condition on an earlier answer."""

    gte: int | None = None
    lte: int | None = None
    eq: int | str | None = None


class Asked(Rules):
    """One question; `when` names earlier questions and bounds of their answers."""

    id: PartId
    type: QuestionType
    text: Texts
    optional: bool = False
    items: tuple[NamedChoice, ...] = ()
    when: dict[str, AnswerBound] = Field(default_factory=dict)
    low_label: dict[str, str] = Field(default_factory=dict)
    high_label: dict[str, str] = Field(default_factory=dict)

    def question(self) -> Question:
        """The question as a survey carries it."""
        return Question(
            id=self.id,
            type=self.type,
            text=self.text,
            optional=self.optional,
            items=tuple(Item(id=item.id, text=item.text) for item in self.items),
            when={name: Bounds(**bound.model_dump()) for name, bound in self.when.items()},
            low_label=self.low_label,
            high_label=self.high_label,
        )
