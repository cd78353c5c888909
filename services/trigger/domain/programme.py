"""A programme as an operator writes it: the model of the YAML in `programmes/`.

Unknown keys are refused. What the model takes is what runs; there are no keys that are read and ignored.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from services.trigger.domain.timing import WEEKDAYS, Span, Window, parse_hours
from shared.contracts.forms import Form, Item, Letter, Question, QuestionType
from shared.contracts.model import Channel, Family, Persona, Tier
from shared.contracts.programmes import ProgrammeState
from shared.contracts.surveys import CloseTheLoop

RENEWAL = "contract.renewal_date"
"""The one date a programme may stand before."""

DEFAULT_LOW = {QuestionType.NPS: 6, QuestionType.NPS5: 3, QuestionType.CSAT: 2, QuestionType.CES: 3}
"""At or below it an answer is unhappy, unless the programme says otherwise (R1-R5, R95)."""

_HOUR = 3600


def _span(value: object) -> object:
    return Span.parse(value) if isinstance(value, str) else value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


SpanText = Annotated[Span, BeforeValidator(_span), PlainSerializer(lambda span: span.text)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Texts = Annotated[dict[str, str], Field(min_length=1)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
QuestionId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Rules(BaseModel):
    """Base of all parts of a programme."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Per(StrEnum):
    """What "once" and `cancel_on` are counted per."""

    CONTACT = "contact"
    ACCOUNT = "account"
    ORDER = "order"
    TICKET = "ticket"
    PROJECT = "project"
    CONTRACT = "contract"
    PRODUCT = "product"


class HoldKind(StrEnum):
    """What makes a programme wait."""

    INCIDENT = "incident"
    DETRACTOR_TICKET = "detractor_ticket"


class Bound(Rules):
    """A condition on a number; all given bounds must hold."""

    gte: float | None = None
    lte: float | None = None
    gt: float | None = None
    lt: float | None = None


class When(Rules):
    """The moment: after a touchpoint, or before a date."""

    touchpoint: Names = ()
    before: Literal["contract.renewal_date"] | None = None
    by: SpanText = Span()
    where: dict[str, bool | int | float | str | list[bool | int | float | str] | Bound] = Field(
        default_factory=dict
    )
    per: Per = Per.CONTACT
    delay: SpanText = Span()
    cancel_on: Names = ()
    hold_while: tuple[HoldKind, ...] = (HoldKind.DETRACTOR_TICKET,)
    fresh_for: SpanText

    @model_validator(mode="after")
    def _one_moment(self) -> When:
        if bool(self.touchpoint) == (self.before is not None):
            raise ValueError("write either touchpoint (with delay) or before (with by)")
        if self.before and (not self.by.rough or self.delay.rough):
            raise ValueError("before needs by, for example by: 60d, and no delay")
        if self.touchpoint and self.by.rough:
            raise ValueError("by belongs to before; after a touchpoint write delay")
        return self


class Who(StrEnum):
    """Whose audience: the people named in the event, or the people of its account."""

    EVENT = "event"
    ACCOUNT = "account"


class Audience(Rules):
    """Who is asked, out of the people that `who` names; an empty list asks everyone."""

    who: Who = Who.EVENT
    role: Names = ()
    persona: tuple[Persona, ...] = ()
    job_function: Names = ()
    tier: tuple[Tier, ...] = ()
    sample: float = Field(default=1.0, gt=0, le=1)
    max_per_account: int | None = Field(default=None, ge=1)


class SendWindow(Rules):
    """Weekdays and hours at the recipient."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ("tue", "wed", "thu")
    hours: str = "09:30-16:00"
    holidays: Literal["recipient", "ignore"] = "recipient"
    outside_before_stale: bool = True

    @model_validator(mode="after")
    def _readable(self) -> SendWindow:
        parse_hours(self.hours)
        if not self.days:
            raise ValueError("days is empty: nobody would ever be asked; write anytime to send on any day")
        return self

    @cached_property
    def window(self) -> Window:
        """The window for the timing functions."""
        opens, closes = parse_hours(self.hours)
        days = frozenset(WEEKDAYS.index(day) for day in self.days)
        return Window(days, opens, closes, skip_holidays=self.holidays == "recipient")


class Reminder(Rules):
    """A further mail to somebody who has not answered, counted from the invitation."""

    after: SpanText


class Send(Rules):
    """How and when the invitation goes out. `from` is a person; left out, the organisation's sender signs."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    channels: tuple[Channel, ...] = (Channel.EMAIL,)
    window: SendWindow | Literal["anytime"] = SendWindow()
    sender: str = Field(default="", alias="from")
    reminders: tuple[Reminder, ...] = ()
    open_for: SpanText = Span(days=30)
    incentive: dict[str, str] = Field(default_factory=dict)

    @property
    def rule(self) -> Window | None:
        """The window, None = at any time."""
        return None if isinstance(self.window, str) else self.window.window

    @property
    def outside_before_stale(self) -> bool:
        """Whether to send outside the window rather than not at all."""
        return isinstance(self.window, str) or self.window.outside_before_stale


class AccountBudget(Rules):
    """At most `max` asks to the people of one account within `per`."""

    max: int = Field(ge=1)
    per: SpanText


class Quarantine(Rules):
    """Time that must lie between asks. `exempt`: counted for others, but itself not held back (R78)."""

    contact: SpanText = Span(days=30)
    family: SpanText | None = None
    exempt: bool = False
    account: AccountBudget | None = None


class Wording(Rules):
    """What the mail says around the question."""

    subject: Texts
    intro: Texts
    reminder: dict[str, str] = Field(default_factory=dict)


class Choice(Rules):
    """A row of a matrix or an option."""

    id: QuestionId
    text: Texts


class AnswerBound(Rules):
    """A condition on an earlier answer."""

    gte: int | None = None
    lte: int | None = None
    eq: int | str | None = None


class Asked(Rules):
    """One question; `when` names earlier questions and bounds of their answers."""

    id: QuestionId
    type: QuestionType
    text: Texts
    optional: bool = False
    items: tuple[Choice, ...] = ()
    when: dict[str, AnswerBound] = Field(default_factory=dict)
    low_label: dict[str, str] = Field(default_factory=dict)
    high_label: dict[str, str] = Field(default_factory=dict)


class Unhappy(Rules):
    """What follows an unhappy answer (R72)."""

    ticket: bool = True
    contact_within: SpanText = Span(hours=24)
    resolve_within: SpanText = Span(days=14)
    playbook: str = ""


class CloseLoop(Rules):
    """What happens with the answer."""

    unhappy: Unhappy = Unhappy()


class Programme(Rules):
    """After this touchpoint, ask these people this, then; and this is what happens with the answer."""

    key: Key
    title: Texts
    purpose: dict[str, str] = Field(default_factory=dict)
    group: str = ""
    family: Family
    stage: str = ""
    state: Literal["active", "shadow", "archived"] = "active"
    when: When
    audience: Audience = Audience()
    send: Send = Send()
    letter: Wording
    priority: int = Field(default=50, ge=0, le=100)
    quarantine: Quarantine = Quarantine()
    consent: Literal["opt_out", "opt_in"] = "opt_out"
    primary: QuestionId
    low: int | None = None
    questions: tuple[Asked, ...] = Field(min_length=1)
    close_the_loop: CloseLoop = CloseLoop()

    @model_validator(mode="after")
    def _hangs_together(self) -> Programme:
        ids = [question.id for question in self.questions]
        if len(set(ids)) < len(ids):
            raise ValueError("questions: two of them have the same id")
        if self.primary not in ids:
            raise ValueError(f"primary: there is no question {self.primary!r}; there are {', '.join(ids)}")
        if self.core.type not in DEFAULT_LOW:
            raise ValueError(
                f"primary: {self.primary!r} has no score; it must be of type nps, nps5, csat or ces"
            )
        if self.core.when or self.core.optional:
            raise ValueError(f"primary: {self.primary!r} must be asked of everybody: no when, not optional")
        for index, question in enumerate(self.questions):
            if late := [name for name in question.when if name not in ids[:index]]:
                raise ValueError(f"questions.{index}.when: {late[0]!r} is no earlier question")
        return self

    @property
    def core(self) -> Asked:
        """The question that decides the category."""
        return next(question for question in self.questions if question.id == self.primary)

    @property
    def low_mark(self) -> int:
        """At or below: unhappy."""
        return DEFAULT_LOW[self.core.type] if self.low is None else self.low

    @property
    def published_state(self) -> ProgrammeState:
        """The state that the file asks for."""
        return ProgrammeState(self.state)

    @property
    def touchpoints(self) -> tuple[str, ...]:
        """The touchpoints that plan; for a programme before a date there is none, the date itself does."""
        return self.when.touchpoint

    @cached_property
    def form(self) -> Form:
        """What a survey of this programme asks."""
        questions = tuple(
            Question(
                id=q.id,
                type=q.type,
                text=q.text,
                optional=q.optional,
                items=tuple(Item(id=item.id, text=item.text) for item in q.items),
                when={name: bound.model_dump() for name, bound in q.when.items()},  # type: ignore[misc]
                low_label=q.low_label,
                high_label=q.high_label,
            )
            for q in self.questions
        )
        return Form(primary=self.primary, low=self.low_mark, title=self.title, questions=questions)

    @cached_property
    def wording(self) -> Letter:
        """What its mails say, without a sender."""
        return Letter(
            subject=self.letter.subject,
            intro=self.letter.intro,
            reminder=self.letter.reminder,
            incentive=self.send.incentive,
        )

    @cached_property
    def loop(self) -> CloseTheLoop:
        """What follows an unhappy answer."""
        unhappy = self.close_the_loop.unhappy
        return CloseTheLoop(
            ticket=unhappy.ticket,
            contact_within_hours=int(unhappy.contact_within.rough.total_seconds()) // _HOUR,
            resolve_within_hours=int(unhappy.resolve_within.rough.total_seconds()) // _HOUR,
            playbook=unhappy.playbook,
        )


@dataclass(frozen=True, slots=True)
class Edition:
    """A programme under the hash of its content, in the state an operator gave it."""

    programme: Programme
    version: str
    state: ProgrammeState = ProgrammeState.ACTIVE

    @property
    def key(self) -> str:
        """The programme's stable name."""
        return self.programme.key


def version_of(definition: dict[str, Any]) -> str:
    """Hash of a definition's content; comments, order of keys and line breaks do not change it."""
    canonical = json.dumps(definition, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def edition_of(definition: dict[str, Any], state: ProgrammeState | None = None) -> Edition:
    """The edition of a stored definition; the state of the file unless another is given."""
    programme = Programme.model_validate(definition)
    return Edition(programme, version_of(definition), state or programme.published_state)
