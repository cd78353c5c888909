"""The questions of a programme, with the conditions under which each is put."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from services.trigger.domain.drivers import DRIVERS
from services.trigger.domain.parts import PartId, Rules, Texts
from shared.contracts.forms import Bounds, Item, Permission, Question, QuestionType


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
    """One question; `when` names earlier questions and bounds of their answers.

    `permission`: what a tick of a consent question allows; to be contacted, unless it says otherwise.
    """

    id: PartId
    type: QuestionType
    text: Texts
    optional: bool = False
    items: tuple[NamedChoice, ...] = ()
    when: dict[str, AnswerBound] = Field(default_factory=dict)
    low_label: dict[str, str] = Field(default_factory=dict)
    high_label: dict[str, str] = Field(default_factory=dict)
    permission: Permission | None = None

    @model_validator(mode="after")
    def _permits(self) -> Self:
        if self.permission is not None and self.type is not QuestionType.CONSENT:
            raise ValueError(f"permission: only a question of type consent asks for one, not {self.type}")
        return self

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
            permission=self.permission or (Permission.CONTACT if self.type is QuestionType.CONSENT else None),
        )
