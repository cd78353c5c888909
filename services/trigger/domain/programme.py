"""A programme as an operator writes it: the model of the YAML in `programmes/`.

Unknown keys are refused. What the model takes is what runs; there are no keys that are read and ignored.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from services.trigger.domain.asking import Asked
from services.trigger.domain.parts import HttpsUrl, Key, Names, PartId, Rules, SpanText, Texts
from services.trigger.domain.sending import Send, Wording
from services.trigger.domain.timing import Span, at_most
from services.trigger.domain.when import When
from shared.contracts.forms import Form, Letter, QuestionType
from shared.contracts.model import Family, Persona, Tier
from shared.contracts.programmes import ProgrammeState
from shared.contracts.surveys import CloseTheLoop, Link

DEFAULT_LOW = {
    QuestionType.NPS: 6,
    QuestionType.NPS5: 3,
    QuestionType.CSAT: 2,
    QuestionType.CES: 3,
    QuestionType.YES_NO: 0,
}
"""At or below it an answer is unhappy, unless the programme says otherwise (R1-R5, R95)."""

_HOUR = 3600
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


class Who(StrEnum):
    """Whose audience: the people in the event, of its account, or those seen with its product or project."""

    EVENT = "event"
    ACCOUNT = "account"
    PRODUCT = "product"
    PROJECT = "project"
    CONTRACT = "contract"


class Audience(Rules):
    """Who is asked, out of the people that `who` names; an empty list asks everyone.

    `coverage`: of each account at least so many of a persona, whoever was asked longest ago first.
    """

    who: Who = Who.EVENT
    role: Names = ()
    persona: tuple[Persona, ...] = ()
    job_function: Names = ()
    tier: tuple[Tier, ...] = ()
    sample: float = Field(default=1.0, gt=0, le=1)
    max_per_account: int | None = Field(default=None, ge=1)
    coverage: dict[Persona, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _room(self) -> Audience:
        if self.max_per_account is not None and sum(self.coverage.values()) > self.max_per_account:
            raise ValueError("coverage wants more people than max_per_account allows")
        if outside := [name for name in self.coverage if self.persona and name not in self.persona]:
            raise ValueError(f"coverage wants a {outside[0]}, whom persona leaves out")
        if self.coverage and self.who is Who.EVENT:
            raise ValueError(
                "coverage needs an audience to choose from: who: account, product, project or contract"
            )
        return self


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

    @cached_property
    def reach(self) -> timedelta:
        """A length that no quarantine of one person exceeds."""
        return max(at_most(self.contact), at_most(self.family or self.contact))


class Help(Rules):
    """Help that the customer gets at once (R79): the name of a text or course."""

    help: Key


class Unhappy(Rules):
    """What follows an unhappy answer (R72); `task` is one for ourselves, as a training (R79)."""

    ticket: bool = True
    contact_within: SpanText = Span(hours=24)
    resolve_within: SpanText = Span(days=14)
    playbook: str = ""
    send: Help | None = None
    task: PartId | Literal[""] = ""

    @model_validator(mode="after")
    def _promises(self) -> Unhappy:
        if not self.contact_within.rough:
            raise ValueError("contact_within: the promise would be broken at once; write for example 24h")
        if self.resolve_within.rough < self.contact_within.rough:
            raise ValueError("resolve_within: is shorter than contact_within")
        return self


class Onward(Rules):
    """A link of the thank-you page, as to a review or a referral programme."""

    text: Texts
    url: HttpsUrl


class FollowUp(Rules):
    """What follows an answer of another group (R73, R74).

    A task for the account's owner, links for the person to go on to, or both.
    """

    task: PartId | Literal[""] = ""
    links: Annotated[tuple[Onward, ...], Field(max_length=3)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> FollowUp:
        if not self.task and not self.links:
            raise ValueError("write task, or links")
        return self

    @property
    def onward(self) -> tuple[Link, ...]:
        """The links as a survey carries them."""
        return tuple(Link(text=link.text, url=link.url) for link in self.links)


def _attribute_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _ATTRIBUTE.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an attribute: a letter, then letters, digits, _ . -")
    return names


class CloseLoop(Rules):
    """What happens with the answer; `booking`: where whoever wants a call chooses a moment (R45)."""

    unhappy: Unhappy = Unhappy()
    neutral: FollowUp | None = None
    happy: FollowUp | None = None
    booking: HttpsUrl | None = None


Attributes = Annotated[
    Names,
    Field(max_length=5),
    AfterValidator(_attribute_names),
]
"""Attributes of the event that scores are broken down by, as carrier or release: five at most (R66)."""


class Restraints(NamedTuple):
    """What of a programme's rules may keep a plan back.

    Attributes:
        exempt: nothing that counts how often somebody is asked does.
        budget: an account's budget.
        keeps: places of it that are kept for whom `coverage` wants.
        learns: the moment at which most answer.
    """

    exempt: bool
    budget: bool
    keeps: bool
    learns: bool


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
    primary: PartId
    low: int | None = None
    questions: tuple[Asked, ...] = Field(min_length=1)
    close_the_loop: CloseLoop = CloseLoop()
    breakdown: Attributes = ()
    variant: str = ""
    variants: dict[Key, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _hangs_together(self) -> Programme:
        ids = [question.id for question in self.questions]
        if len(set(ids)) < len(ids):
            raise ValueError("questions: two of them have the same id")
        if self.primary not in ids:
            raise ValueError(f"primary: there is no question {self.primary!r}; there are {', '.join(ids)}")
        if self.core.type not in DEFAULT_LOW:
            raise ValueError(
                f"primary: {self.primary!r} has no score; it must be of type nps, nps5, csat, ces or yes_no"
            )
        if self.core.when or self.core.optional:
            raise ValueError(f"primary: {self.primary!r} must be asked of everybody: no when, not optional")
        if self.audience.who is not Who.EVENT and self.when.by_hand:
            raise ValueError("audience.who: whoever asks by hand names the people; write event")
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

    @cached_property
    def keeps_places(self) -> bool:
        """Whether the last places of an account's budget are kept for whom `coverage` still wants."""
        rules = self.quarantine
        return bool(self.audience.coverage) and rules.account is not None and not rules.exempt

    @cached_property
    def restraints(self) -> Restraints:
        """What may keep its plans back."""
        caps = self.quarantine
        return Restraints(caps.exempt, caps.account is not None, self.keeps_places, self.send.learns)

    @property
    def published_state(self) -> ProgrammeState:
        """The state that the file asks for."""
        return ProgrammeState(self.state)

    @property
    def touchpoints(self) -> tuple[str, ...]:
        """The touchpoints that plan; for a programme before a date there is none, the date itself does."""
        return self.when.starts_on

    @cached_property
    def form(self) -> Form:
        """What a survey of this programme asks."""
        questions = tuple(question.question() for question in self.questions)
        return Form(primary=self.primary, low=self.low_mark, title=self.title, questions=questions)

    @cached_property
    def wording(self) -> Letter:
        """What its mails say, without a sender."""
        return Letter(
            subject=self.letter.subject,
            subjects=self.letter.lines,
            intro=self.letter.intro,
            reminder=self.letter.reminder,
            incentive=self.send.incentive,
        )

    @cached_property
    def signed(self) -> Letter:
        """What its mails say in the name of whoever signs to somebody of no known persona."""
        name, email = parseaddr(self.send.signed_by(None))
        return self.wording.model_copy(update={"sender_name": name, "sender_email": email})

    @cached_property
    def letters(self) -> dict[tuple[str, str, str], Letter]:
        """Its letters by name, address and reply address of the sender, as they were written so far."""
        return {}

    @cached_property
    def loop(self) -> CloseTheLoop:
        """What follows an answer."""
        rules = self.close_the_loop
        unhappy = rules.unhappy
        return CloseTheLoop(
            ticket=unhappy.ticket,
            contact_within_hours=int(unhappy.contact_within.rough.total_seconds()) // _HOUR,
            resolve_within_hours=int(unhappy.resolve_within.rough.total_seconds()) // _HOUR,
            playbook=unhappy.playbook,
            help=unhappy.send.help if unhappy.send else "",
            unhappy_task=unhappy.task,
            neutral_task=rules.neutral.task if rules.neutral else "",
            happy_task=rules.happy.task if rules.happy else "",
            neutral_links=rules.neutral.onward if rules.neutral else (),
            happy_links=rules.happy.onward if rules.happy else (),
            booking_url=rules.booking or "",
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

    @property
    def shadow(self) -> bool:
        """Whether it decides and notes, but sends nothing; also while an operator paused it."""
        return self.programme.state == "shadow"


def version_of(definition: dict[str, Any]) -> str:
    """Hash of a definition's content; comments, order of keys and line breaks do not change it."""
    canonical = json.dumps(definition, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def edition_of(definition: dict[str, Any], state: ProgrammeState | None = None) -> Edition:
    """The edition of a definition; the state of the file unless another is given."""
    resolved = resolve(definition)
    programme = Programme.model_validate(resolved)
    return Edition(programme, version_of(resolved), state or programme.published_state)


def resolve(definition: dict[str, Any], variant: str | None = None) -> dict[str, Any]:
    """A definition with its active variant, or with another one, written into it; the others are left out.

    Raises:
        KeyError: There is no such variant.
    """
    variants = definition.get("variants")
    if not isinstance(variants, dict):
        return definition
    active = definition.get("variant", "") if variant is None else variant
    base = {name: value for name, value in definition.items() if name not in {"variants", "variant"}}
    if not active:
        return base
    return {**_merged(base, variants[active]), "variant": active}


def _merged(base: Any, change: Any) -> Any:  # noqa: ANN401 - plain YAML data
    """Mappings are merged key by key, null leaves a key out; anything else is replaced."""
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    merged = {**base, **{name: _merged(base.get(name), value) for name, value in change.items()}}
    return {name: value for name, value in merged.items() if change.get(name, value) is not None}
