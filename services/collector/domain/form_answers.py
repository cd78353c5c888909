"""What a form tool told of an answer, read by the form's rule. Pure.

A score that cannot be read refuses the answer, since nothing would be left. Anything else that cannot be read
is left out and told: an unhappy customer is not lost over a wrong tick.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.collector.domain.answers import MAX_TEXT, Given, Value, clean, read
from services.collector.domain.forms import ORIGIN, AnswerRule, Asked, FormRule, Scale
from services.collector.domain.sharing import address_of
from shared.contracts.forms import SCALES, Form, Question, QuestionType

LONGEST = 200
"""Characters of an id, a name or an attribute."""

AHEAD = timedelta(hours=1)
"""So far clocks may differ; what was answered later than that was read with a wrong zone."""

_YES_NO: Mapping[str, int | str] = {"yes": 1, "true": 1, "no": 0, "false": 0}


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as a tool told of it.

    Attributes:
        token: what the tool knows it by; the same token is the same answer.
        at: when it was sent, or last changed.
        values: what was given, by field; several where several could be chosen.
        scales: scales that the tool itself tells of, by field.
        line: where in a file it stands.
    """

    token: str
    at: datetime
    values: Mapping[str, tuple[str, ...]]
    scales: Mapping[str, Scale] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something cannot be used, by its place in the form's rule; never quotes what people wrote."""

    field: str
    reason: str
    what_to_do: str = ""


class RefusedError(ValueError):
    """An answer cannot be taken."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(f"{trouble.field}: {trouble.reason}")
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Read:
    """An answer in our words; `left_out` is what could not be used of it."""

    token: str
    at: datetime
    given: Given
    contact_id: str = ""
    email: str = ""
    name: str = ""
    account: str = ""
    product: str = ""
    service_type: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[Trouble, ...] = ()

    @property
    def digest(self) -> str:
        """By this two tellings of one answer are compared."""
        said = [
            sorted((name, value) for name, value in self.given.items()), sorted(self.context.items()),
            self.contact_id, self.email, self.name, self.account, self.product, self.service_type,
            self.subject_kind, self.subject_id,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def read_told(key: str, rule: FormRule, asked: Asked, told: Told, now: datetime) -> Read:
    """Read an answer by what the tool asks.

    Raises:
        RefusedError: It has no score that can be read, or was given in the future.
    """
    if told.at > now + AHEAD:
        raise RefusedError(
            Trouble("time", "it was given in the future", "Say by zone where the times are from.")
        )
    trouble: list[Trouble] = []
    form = asked.form
    questions = {question.id: question for question in form.questions}
    score = _score(rule, questions[form.primary], told)
    given: dict[str, Value] = {form.primary: score}
    for name, answer in rule.questions.items():
        _put(given, name, _answer(answer, questions[name.partition(".")[0]], told, name, trouble))
    comment = _comment(rule, told, trouble)
    if comment and (question := asked.comment_for(score)):
        given[question] = comment
    _drop_unfit(form, given, trouble)
    email, who = _email(rule, told, trouble), rule.contact
    subject = _word(rule.subject.id if rule.subject else None, told, "subject.id", trouble)
    return Read(
        token=told.token,
        at=min(told.at, now),
        given=given,
        contact_id=_word(who.id if who else None, told, "contact.id", trouble),
        email=email,
        name=_word(who.name if who else None, told, "contact.name", trouble),
        account=_word(rule.account, told, "account", trouble),
        product=_word(rule.product, told, "product", trouble),
        service_type=_word(rule.service_type, told, "service_type", trouble),
        subject_kind=rule.subject.kind if rule.subject and subject else "",
        subject_id=subject,
        context={ORIGIN: key} | _context(rule, told, trouble),
        left_out=tuple(trouble),
    )


def _drop_unfit(form: Form, given: dict[str, Value], trouble: list[Trouble]) -> None:
    """Leave out what the form does not take, as a second option where one is asked for."""
    for name, problem in read(form, given).problems.items():
        given.pop(name.partition(".")[0], None)
        trouble.append(Trouble(f"questions.{name}", f"it does not fit the question: {problem}"))


def _put(given: dict[str, Value], name: str, value: Value | None) -> None:
    """Place an answer; a row of a matrix goes to its question."""
    question, _, item = name.partition(".")
    if value is None:
        return
    if not item:
        given[question] = value
    elif isinstance(value, int | str):
        rows = given.get(question)
        given[question] = {**(rows if isinstance(rows, Mapping) else {}), item: value}


def _score(rule: FormRule, question: Question, told: Told) -> int:
    own = told.scales.get(rule.score.field)
    if own and own != rule.score.scale:
        reason = f"the tool asks on {own}, forms.yaml says {rule.score.scale}"
        raise RefusedError(
            Trouble("score.scale", reason, "Scales are never mixed: write the tool's own scale.")
        )
    given = told.values.get(rule.score.field, ())
    if not given:
        reason = "there is no score in this field"
        raise RefusedError(Trouble("score.field", reason, "Name the field that holds it; see docs/forms.md."))
    found = number_of(given[0], rule.score, question)
    if isinstance(found, Trouble):
        raise RefusedError(Trouble("score", found.reason, found.what_to_do))
    return found


def number_of(text: str, rule: AnswerRule, question: Question) -> int | Trouble:
    """A number on the question's scale, or why it is none."""
    scale = Scale(*SCALES[question.type])
    words = dict(_YES_NO if question.type is QuestionType.YES_NO else {})
    words |= {word.strip().casefold(): value for word, value in rule.values.items()}
    meant = words.get(text.strip().casefold())
    written = text.strip().removesuffix(".0") if meant is None else str(meant)
    if not (written.isascii() and written.removeprefix("-").isdigit()):
        return Trouble("", f"it is no number of {scale}", "Say in values which number these words mean.")
    if len(written) > LONGEST or not scale.lowest <= int(written) <= scale.highest:
        shown = written if len(written) <= len("-100") else "the number"
        return Trouble("", f"{shown} is outside of {scale}", "Ask on the programme's scale.")
    return int(written)


def _answer(
    rule: AnswerRule, question: Question, told: Told, name: str, trouble: list[Trouble]
) -> Value | None:
    """The answer to a further question; None without one that can be used."""
    given = tuple(text for text in told.values.get(rule.field, ()) if text.strip())
    if not given:
        return None
    place = f"questions.{name}"
    if question.type in SCALES:
        found = number_of(given[0], rule, question)
        if isinstance(found, Trouble):
            trouble.append(Trouble(place, found.reason, found.what_to_do))
            return None
        return found
    if question.type is QuestionType.CONSENT:
        words = {word.strip().casefold(): str(option) for word, option in rule.values.items()}
        return words.get(answered := given[0].strip().casefold(), answered)
    if not question.items:
        return _cut("\n".join(given), place, trouble)
    return _options(given, rule, question, place, trouble)


def _options(
    given: tuple[str, ...], rule: AnswerRule, question: Question, place: str, trouble: list[Trouble]
) -> Value | None:
    """Options by id, by what `values` says, or by their words in any language."""
    words = {item.id.casefold(): item.id for item in question.items}
    words |= {text.strip().casefold(): item.id for item in question.items for text in item.text.values()}
    words |= {word.strip().casefold(): str(option) for word, option in rule.values.items()}
    known = {item.id for item in question.items}
    chosen = [words.get(text.strip().casefold(), "") for whole in given for text in _apart(whole, words)]
    if any(option not in known for option in chosen):
        trouble.append(
            Trouble(place, "it is no option of the question", "Say in values which option these words mean.")
        )
    fit = list(dict.fromkeys(option for option in chosen if option in known))
    return fit or None


def _apart(text: str, words: Mapping[str, str]) -> list[str]:
    """Options that Qualtrics writes into one field, with commas between; an option may have commas itself."""
    return [text] if text.strip().casefold() in words else text.split(",")


def _comment(rule: FormRule, told: Told, trouble: list[Trouble]) -> str:
    given = told.values.get(rule.comment, ()) if rule.comment else ()
    return _cut("\n".join(given), "comment", trouble)


def _cut(text: str, place: str, trouble: list[Trouble]) -> str:
    text = clean(text)
    if len(text) > MAX_TEXT:
        trouble.append(Trouble(place, f"longer than {MAX_TEXT} characters: the rest was left out"))
    return text[:MAX_TEXT].rstrip()


def _email(rule: FormRule, told: Told, trouble: list[Trouble]) -> str:
    given = told.values.get(rule.contact.email, ()) if rule.contact and rule.contact.email else ()
    if not given or not given[0].strip():
        return ""
    try:
        return address_of(given[0])
    except ValueError:
        trouble.append(Trouble("contact.email", "it is no e-mail address: the answer is nobody's by it"))
        return ""


def _word(name: str | None, told: Told, place: str, trouble: list[Trouble]) -> str:
    """A short text; one that is too long is none."""
    found = clean(" ".join(told.values.get(name, ()))) if name else ""
    if len(found) <= LONGEST:
        return found
    trouble.append(Trouble(place, f"longer than {LONGEST} characters: it was left out"))
    return ""


def _context(rule: FormRule, told: Told, trouble: list[Trouble]) -> dict[str, str]:
    found = {name: _word(field, told, f"context.{name}", trouble) for name, field in rule.context.items()}
    return {name: text for name, text in found.items() if text}
