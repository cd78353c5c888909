"""How and when an invitation goes out, and in whose name."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from services.trigger.domain.parts import PartId, Rules, SpanText, Texts
from services.trigger.domain.timing import WEEKDAYS, Span, parse_hours
from shared.contracts.forms import SubjectLine
from shared.contracts.model import UNASKED, Channel, Persona
from shared.windows import Window

_ASKING = tuple(channel.value for channel in Channel if channel not in UNASKED)
_ONE_OF = f"{', '.join(map(repr, _ASKING[:-1]))} or {_ASKING[-1]!r}"


def _asks(value: object) -> object:
    """Refuse what is no way to ask a person, and offer only what is."""
    if value == Channel.SHARED_LINK:
        raise ValueError("shared_link asks nobody; make a link: afterword programmes link KEY --label TEXT")
    if value == Channel.FORM:
        raise ValueError("form asks nobody; name the programme in forms.yaml: docs/forms.md")
    if value not in _ASKING:
        raise PydanticCustomError("enum", "Input should be {expected}", {"expected": _ONE_OF})
    return value


Asking = Annotated[Channel, BeforeValidator(_asks), WithJsonSchema({"enum": list(_ASKING), "type": "string"})]
"""A channel by which a person is asked."""


class SendWindow(Rules):
    """Weekdays and hours at the recipient."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        default=("tue", "wed", "thu"), json_schema_extra={"minItems": 1}
    )
    hours: str = "09:30-16:00"
    holidays: Literal["recipient", "ignore"] = "recipient"
    outside_before_stale: bool = True
    learn: bool = False

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
    """How and when. `from` is a person, or one for each persona; else the organisation's sender signs."""

    channels: tuple[Asking, ...] = Field(default=(Channel.EMAIL,), min_length=1)
    deliver_to: Literal["recipient", "owner"] = "recipient"
    window: SendWindow | Literal["anytime"] = SendWindow()
    sender: str | dict[Persona, str] = Field(default="", alias="from")
    reminders: tuple[Reminder, ...] = ()
    open_for: SpanText = Span(days=30)
    incentive: dict[str, str] = Field(default_factory=dict)

    @cached_property
    def rule(self) -> Window | None:
        """The window, None = at any time."""
        return None if isinstance(self.window, str) else self.window.window

    @cached_property
    def outside_before_stale(self) -> bool:
        """Whether to send outside the window rather than not at all."""
        return isinstance(self.window, str) or self.window.outside_before_stale

    @cached_property
    def learns(self) -> bool:
        """Whether the moment inside the window is the one at which people answer most (R46)."""
        return not isinstance(self.window, str) and self.window.learn

    @cached_property
    def to_owner(self) -> bool:
        """Whether the account manager gets the mail and passes the link on (R36)."""
        return self.deliver_to == "owner"

    @cached_property
    def mails_only(self) -> bool:
        """Whether e-mail is the only way."""
        return all(channel is Channel.EMAIL for channel in self.channels)

    @property
    def senders(self) -> tuple[str, ...]:
        """All who may sign."""
        return (self.sender,) if isinstance(self.sender, str) else tuple(self.sender.values())

    def signed_by(self, persona: Persona | None) -> str:
        """Who signs to somebody of a persona; "" = the organisation's sender."""
        if isinstance(self.sender, str):
            return self.sender
        return self.sender.get(persona, "") if persona else ""


FIRST = "first"
"""Under which id `letter.subject` is told apart from further subjects."""


class Subject(Rules):
    """A further subject that is tried; `part` of the recipients get it, as against those of the others."""

    id: PartId
    text: Texts
    part: int = Field(default=1, ge=0, le=100)


class Wording(Rules):
    """What the mail says around the question.

    `subjects` are tried beside `subject`, which counts among them with `subject_part`.
    """

    subject: Texts
    subject_part: int = Field(default=1, ge=0, le=100)
    subjects: Annotated[tuple[Subject, ...], Field(max_length=5)] = ()
    intro: Texts
    reminder: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _told_apart(self) -> Wording:
        ids = [FIRST, *(one.id for one in self.subjects)]
        if len(set(ids)) < len(ids):
            raise ValueError(f"subjects: ids must differ, and {FIRST} is that of subject")
        if not any(one.part for one in self.lines) and self.subjects:
            raise ValueError("subjects: every part is 0, so nobody would get any of them")
        return self

    @property
    def lines(self) -> tuple[SubjectLine, ...]:
        """All subjects as a survey carries them; none when there is one alone."""
        if not self.subjects:
            return ()
        first = SubjectLine(id=FIRST, text=self.subject, part=self.subject_part)
        return (first, *(SubjectLine(id=one.id, text=one.text, part=one.part) for one in self.subjects))
