"""`sources.yaml`: which topics of others are read, and what their records mean.

Values are JMESPath expressions over the record; types of touchpoints and kinds of subjects are plain words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from services.trigger.webhooks.generic import TYPE

OURS = ("afterword.", "dlq.")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,59}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True)
class Expression:
    """A JMESPath expression, ready to be searched with."""

    text: str
    _parsed: Any = field(repr=False, compare=False)

    @classmethod
    def read(cls, written: object) -> Expression:
        """Read an expression.

        Raises:
            ValueError: It is none, or calls a function that JMESPath does not have.
        """
        if isinstance(written, Expression):
            return written
        if not isinstance(written, str) or not written.strip():
            raise ValueError("must be a JMESPath expression; a fixed text is written '''in quotes'''")
        try:
            parsed = jmespath.compile(written)
        except JMESPathError as error:
            raise ValueError(f"is no JMESPath expression: {_first_line(error)}") from error
        unknown = sorted(set(_functions(dict(parsed.parsed))) - Functions.FUNCTION_TABLE.keys())
        if unknown:
            raise ValueError(f"calls {unknown[0]}(), which JMESPath does not have")
        return cls(written, parsed)

    def search(self, record: object) -> object:
        """What the expression finds; None where it finds nothing or a function does not fit."""
        try:
            found: object = self._parsed.search(record)
        except JMESPathError:
            return None
        return found


Expr = Annotated[Expression, BeforeValidator(Expression.read)]


class Format(StrEnum):
    """How records are written."""

    JSON = "json"
    CLOUDEVENTS = "cloudevents"
    SALESFORCE = "salesforce"


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class PersonRule(_Rule):
    """Where a person's facts are; with `each`, of every entry of a list."""

    each: Expr | None = None
    id: Expr | None = None
    email: Expr | None = None
    phone: Expr | None = None
    name: Expr | None = None
    locale: Expr | None = None
    zone: Expr | None = None
    persona: Expr | None = None
    job_function: Expr | None = None
    role: Expr | None = None
    consent: Expr | None = None
    consent_at: Expr | None = None

    @model_validator(mode="after")
    def _can_be_found_again(self) -> PersonRule:
        if not (self.id or self.email or self.phone):
            raise ValueError("needs id, email or phone, else nobody knows who is meant")
        return self


class AccountRule(_Rule):
    """Where a company's facts are."""

    id: Expr
    name: Expr | None = None
    tier: Expr | None = None
    industry: Expr | None = None
    size: Expr | None = None
    owner: Expr | None = None
    region: Expr | None = None
    annual_value: Expr | None = None
    acquisition_cost: Expr | None = None
    phase: Expr | None = None
    started_on: Expr | None = None


class SubjectRule(_Rule):
    """What it is about: a fixed kind, and where its id is."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    id: Expr


class EventRule(_Rule):
    """One touchpoint that a record may mean."""

    type: str
    when: Expr | None = None
    id: Expr | None = None
    occurred_at: Expr | None = None
    contact: PersonRule | None = None
    account: AccountRule | None = None
    subject: SubjectRule | None = None
    product: Expr | None = None
    service_type: Expr | None = None
    renewal_on: Expr | None = None
    context: dict[str, Expr] = Field(default_factory=dict)

    @field_validator("type")
    @classmethod
    def _is_a_type(cls, given: str) -> str:
        if not TYPE.fullmatch(given):
            raise ValueError("must be lower-case words joined by dots, as order.delivered")
        return given

    @model_validator(mode="after")
    def _names_somebody(self) -> EventRule:
        if not (self.contact or self.account or self.product):
            raise ValueError("needs contact, account or product, else nobody could be asked")
        return self


class SalesforceRule(_Rule):
    """What differs between Salesforce organisations."""

    closed_statuses: tuple[str, ...] = ("Closed",)
    won_stages: tuple[str, ...] = ("Closed Won",)
    renewal_types: tuple[str, ...] = ("Renewal",)


class SourceRule(_Rule):
    """Some topics that are read alike."""

    name: str
    topics: tuple[str, ...] = Field(min_length=1)
    format: Format = Format.JSON
    events: tuple[EventRule, ...] = ()
    salesforce: SalesforceRule | None = None

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, given: str) -> str:
        if not _NAME.fullmatch(given):
            raise ValueError("must be lower-case letters, digits and hyphens, at most 60")
        return given

    @field_validator("topics")
    @classmethod
    def _are_topics_of_others(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for topic in given:
            if not _TOPIC.fullmatch(topic):
                raise ValueError(f"{topic!r} is no name of a Kafka topic")
            if topic.startswith(OURS):
                raise ValueError(f"{topic} is ours and read anyway")
        return given

    @model_validator(mode="after")
    def _says_what_records_mean(self) -> SourceRule:
        if self.format is Format.JSON and not self.events:
            raise ValueError("format json needs events: they say what a record means")
        if self.format is Format.SALESFORCE and self.events:
            raise ValueError("format salesforce knows its events; take them away, or choose json")
        if self.salesforce and self.format is not Format.SALESFORCE:
            raise ValueError("salesforce is for format salesforce alone")
        return self

    @property
    def route(self) -> str:
        """The source of its events, and what tells its ids from those of others."""
        return f"/sources/{self.name}"


class Sources(_Rule):
    """The whole file."""

    sources: tuple[SourceRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Sources:
        names = [source.name for source in self.sources]
        topics = [topic for source in self.sources for topic in source.topics]
        for what, given in (("name", names), ("topic", topics)):
            twice = next((one for one in given if given.count(one) > 1), None)
            if twice:
                raise ValueError(f"the {what} {twice} is there twice")
        return self

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics that are read."""
        return tuple(topic for source in self.sources for topic in source.topics)

    def of(self, topic: str) -> SourceRule:
        """The source of a topic that is read."""
        return next(source for source in self.sources if topic in source.topics)


def _functions(node: Mapping[str, Any]) -> Iterator[str]:
    """Names of all functions that an expression calls."""
    if node.get("type") == "function_expression":
        yield str(node["value"])
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from _functions(child)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(":.").lower()
