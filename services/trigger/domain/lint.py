"""`afterword programmes check`.

Is a file readable, and is what it says a good idea? Every complaint says what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ValidationError

from services.trigger.domain import placeholders, programme
from services.trigger.domain.documents import Document, Location, UnreadableError, read_documents
from services.trigger.domain.programme import Asked, Edition, Programme, edition_of
from shared.contracts.forms import SCALES, QuestionType
from shared.contracts.model import Family

LENGTH = {Family.TRANSACTIONAL: 3, Family.RELATIONSHIP: 7, Family.PROGRESS: 3}
"""Most questions asked of one person (R39)."""

SHORTEST_RELATIONSHIP = 5
LONGEST_OPEN_DAYS = 45
SHORT_MOMENT_DAYS = 7
"""A moment that is over so soon cannot always wait for the best weekday."""

NO_REPLY = ("no-reply", "noreply", "no_reply", "donotreply", "do-not-reply", "no-responder", "svara-ej")


class Severity(StrEnum):
    """An error keeps the file from being published; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint about one place of one file."""

    severity: Severity
    file: str
    line: int
    path: str
    reason: str
    what_to_do: str

    @property
    def text(self) -> str:
        """One line for logs and terminals."""
        return f"{self.file}:{self.line}: {self.path or 'file'}: {self.reason} {self.what_to_do}"


@dataclass(frozen=True, slots=True)
class Checked:
    """One readable programme of a file and where it stands there."""

    edition: Edition
    definition: dict[str, Any]
    file: str
    document: Document

    def finding(self, severity: Severity, where: Location, reason: str, what_to_do: str) -> Finding:
        """A complaint about a place of this programme."""
        return Finding(severity, self.file, self.document.line(where), _dotted(where), reason, what_to_do)

    def error(self, where: Location, reason: str, what_to_do: str) -> Finding:
        """A complaint that keeps it from being published."""
        return self.finding(Severity.ERROR, where, reason, what_to_do)

    def warning(self, where: Location, reason: str, what_to_do: str) -> Finding:
        """A complaint that leaves it running."""
        return self.finding(Severity.WARNING, where, reason, what_to_do)


@dataclass(frozen=True, slots=True)
class Report:
    """All programmes of a folder that can be read, and all complaints."""

    programmes: tuple[Checked, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Complaints that keep a file from being published."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    def broken_files(self) -> frozenset[str]:
        """Files of which nothing is to be published."""
        return frozenset(finding.file for finding in self.errors)


def check(files: Iterable[tuple[str, str]], locales: Sequence[str]) -> Report:
    """Check a folder of programmes.

    Args:
        files: Name and text of each.
        locales: Languages in which every text must be there.
    """
    programmes: list[Checked] = []
    findings: list[Finding] = []
    for name, text in sorted(files):
        read, complaints = read_file(name, text)
        programmes += read
        findings += complaints
    for checked in programmes:
        findings += lint(checked, locales)
    findings += _same_key(programmes)
    findings += _fights(programmes)
    return Report(tuple(programmes), tuple(sorted(findings, key=lambda f: (f.file, f.line, f.reason))))


def read_file(name: str, text: str) -> tuple[list[Checked], list[Finding]]:
    """Read all programmes of one file."""
    try:
        documents = read_documents(text)
    except UnreadableError as error:
        reason, hint = f"{error.reason}.", "Mend the YAML at this line."
        return [], [Finding(Severity.ERROR, name, error.line, "", reason, hint)]
    read: list[Checked] = []
    findings: list[Finding] = []
    for document in documents:
        if not isinstance(document.data, dict):
            reason, hint = "a programme is a mapping of keys.", "Begin with key: and a name."
            findings.append(Finding(Severity.ERROR, name, document.line(()), "", reason, hint))
            continue
        try:
            read.append(Checked(edition_of(document.data), document.data, name, document))
        except ValidationError as error:
            findings += _explain(name, document, error)
    return read, findings


def lint(checked: Checked, locales: Sequence[str]) -> Iterator[Finding]:
    """Everything questionable about one readable programme."""
    yield from _length(checked)
    yield from _open_question(checked)
    yield from _sending(checked)
    yield from _texts(checked, locales)
    yield from _scales(checked)
    yield from _moments(checked)


def longest_path(questions: Sequence[Asked], primary: Asked) -> int:
    """Most questions one person can be asked: conditions on the primary answer are tried value by value."""
    low, high = SCALES[primary.type]
    counted = [q for q in questions if q.type is not QuestionType.CONSENT]
    return max(sum(_shown(q, primary.id, value) for q in counted) for value in range(low, high + 1))


def _shown(question: Asked, primary: str, value: int) -> bool:
    bound = question.when.get(primary)
    if bound is None:
        return True
    fits = (bound.gte is None or value >= bound.gte) and (bound.lte is None or value <= bound.lte)
    return fits and (bound.eq is None or value == bound.eq)


def _length(checked: Checked) -> Iterator[Finding]:
    rules = checked.edition.programme
    most, count = LENGTH[rules.family], longest_path(rules.questions, rules.core)
    if count > most:
        reason = (
            f"one person may be asked {count} questions; a {rules.family} survey has at most {most} (R39)."
        )
        yield checked.error(("questions",), reason, "Drop questions or put conditions on them.")
    if rules.family is Family.RELATIONSHIP and count < SHORTEST_RELATIONSHIP:
        reason = f"asks {count} questions; a relationship survey has 5 to 7 (R39)."
        yield checked.warning(("questions",), reason, "Ask for drivers too, or make it transactional.")


def _open_question(checked: Checked) -> Iterator[Finding]:
    rules = checked.edition.programme
    if not any(q.type is QuestionType.TEXT for q in rules.questions):
        yield checked.error(
            ("questions",),
            "no open question: a score alone explains nothing (R10, R37).",
            "Add one of type text.",
        )
        return
    low, high = SCALES[rules.core.type]
    asked = [q for q in rules.questions if q.type is QuestionType.TEXT]
    silent = [v for v in range(low, high + 1) if not any(_shown(q, rules.primary, v) for q in asked)]
    if silent:
        reason = f"nobody who answers {', '.join(map(str, silent))} is asked why (R37)."
        yield checked.warning(("questions",), reason, "Widen the conditions of the open questions.")


def _sending(checked: Checked) -> Iterator[Finding]:
    send = checked.edition.programme.send
    if send.open_for.rough.days > LONGEST_OPEN_DAYS:
        yield checked.error(
            ("send", "open_for"), "open for more than 45 days (R48).", "Write 30d, 45d at most."
        )
    if any(word in send.sender.lower() for word in NO_REPLY):
        yield checked.error(
            ("send", "from"), "a no-reply sender (R51).", "Let a person sign who reads the replies."
        )
    patient = checked.edition.programme.when.fresh_for.rough.days > SHORT_MOMENT_DAYS
    if patient and not isinstance(send.window, str) and {"mon", "fri"} & set(send.window.days):
        yield checked.warning(
            ("send", "window", "days"), "sends on Monday or Friday (R46).", "Prefer tue, wed, thu."
        )
    for earlier, later in pairwise(send.reminders):
        if later.after.rough <= earlier.after.rough:
            yield checked.error(
                ("send", "reminders"), "reminders are not in rising order.", "Order them by after."
            )
    if send.reminders and send.reminders[-1].after.rough >= send.open_for.rough:
        yield checked.error(
            ("send", "reminders"), "a reminder comes after the survey closed.", "Shorten after."
        )
    if send.reminders and not checked.edition.programme.letter.reminder:
        yield checked.error(
            ("letter",), "reminders without a text.", "Write letter.reminder in every language."
        )


def _moments(checked: Checked) -> Iterator[Finding]:
    rules = checked.edition.programme
    if not rules.when.fresh_for.rough:
        yield checked.error(
            ("when", "fresh_for"), "the moment is over at once.", "Write for how long asking makes sense."
        )
    if not rules.quarantine.exempt and rules.when.fresh_for.rough < rules.quarantine.contact.rough:
        reason = "shorter than the quarantine: who was asked lately will be left out, not asked later."
        yield checked.warning(
            ("when", "fresh_for"), reason, "Fine when the moment is short; else lengthen it."
        )


def _scales(checked: Checked) -> Iterator[Finding]:
    for index, question in enumerate(checked.edition.programme.questions):
        where: Location = ("questions", index)
        if question.type in DEFAULT_SCORED and not (question.low_label and question.high_label):
            reason = "a scale without words at its ends: nobody knows which end is good."
            yield checked.error(
                where, reason, "Write low_label and high_label; the high end is the good one."
            )
        if question.type in CHOICES and not question.items:
            yield checked.error(
                where, f"a {question.type} question without items.", "List items with id and text."
            )
    low, high = SCALES[checked.edition.programme.core.type]
    if not low <= checked.edition.programme.low_mark < high:
        reason = f"outside the scale {low} to {high}, or it makes every answer unhappy."
        yield checked.error(
            ("low",), reason, "Scales rise: 7 is the easiest, 10 and 5 the best. Write the worst group's top."
        )


DEFAULT_SCORED = frozenset(programme.DEFAULT_LOW)
CHOICES = frozenset({QuestionType.MATRIX, QuestionType.SINGLE, QuestionType.MULTIPLE, QuestionType.BRAND})


def _texts(checked: Checked, locales: Sequence[str]) -> Iterator[Finding]:
    for where, texts in local_texts(checked.edition.programme):
        if missing := [locale for locale in locales if not texts.get(locale, "").strip()]:
            yield checked.error(where, f"no text in {', '.join(missing)}.", "Translate it.")
        for locale, text in texts.items():
            for name in placeholders.unknown(text):
                yield checked.error(
                    (*where, locale), f"unknown placeholder {{{name}}}.", _meant(name, placeholders.KNOWN)
                )


def local_texts(rules: Programme) -> Iterator[tuple[Location, dict[str, str]]]:
    """Every text that a customer reads, with its place."""
    yield ("title",), rules.title
    yield ("letter", "subject"), rules.letter.subject
    yield ("letter", "intro"), rules.letter.intro
    for where, texts in (
        (("letter", "reminder"), rules.letter.reminder),
        (("send", "incentive"), rules.send.incentive),
    ):
        if texts:
            yield where, texts
    for index, question in enumerate(rules.questions):
        yield ("questions", index, "text"), question.text
        for name, texts in (("low_label", question.low_label), ("high_label", question.high_label)):
            if texts:
                yield ("questions", index, name), texts
        for number, item in enumerate(question.items):
            yield ("questions", index, "items", number, "text"), item.text


def _same_key(programmes: Sequence[Checked]) -> Iterator[Finding]:
    first: dict[str, Checked] = {}
    for checked in programmes:
        key = checked.edition.key
        if key in first:
            reason = (
                f"the key {key!r} is also in {first[key].file}, line {first[key].document.line(('key',))}."
            )
            yield checked.error(("key",), reason, "Give each programme its own key.")
        first.setdefault(key, checked)


def _fights(programmes: Sequence[Checked]) -> Iterator[Finding]:
    """Two programmes of equal priority on one touchpoint and audience: chance would decide who is heard."""
    for index, one in enumerate(programmes):
        for other in programmes[index + 1 :]:
            a, b = one.edition.programme, other.edition.programme
            shared = set(a.touchpoints) & set(b.touchpoints)
            if (
                shared
                and a.priority == b.priority
                and a.audience == b.audience
                and a.when.where == b.when.where
            ):
                reason = f"fights with {a.key!r} for the same people after {', '.join(sorted(shared))}."
                yield other.warning(
                    ("priority",), reason, "Give one of them a higher priority, or another audience."
                )


def _explain(file: str, document: Document, error: ValidationError) -> Iterator[Finding]:
    for detail in error.errors(include_url=False, include_input=False):
        where: Location = tuple(part for part in detail["loc"] if _real(part))
        reason = detail["msg"].removeprefix("Value error, ").rstrip(".") + "."
        match detail["type"]:
            case "extra_forbidden":
                reason, hint = f"unknown key {where[-1]!r}.", _meant(str(where[-1]), _known_keys())
            case "missing":
                reason, hint = f"{where[-1]!r} is missing.", "Add it."
            case "value_error":
                hint = "See docs/programmes.md."
            case _:
                hint = "Mend the value."
        yield Finding(Severity.ERROR, file, document.line(where), _dotted(where), reason, hint)


def _real(part: str | int) -> bool:
    """Pydantic names the tried alternative of a union in the path; readers know only their own keys."""
    return isinstance(part, int) or not (
        part[:1].isupper() or part.startswith(("literal[", "list[", "function-", "constrained"))
    )


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(sorted(known))}."


@lru_cache(maxsize=1)
def _known_keys() -> tuple[str, ...]:
    models = [m for m in vars(programme).values() if isinstance(m, type) and issubclass(m, BaseModel)]
    names = {
        f.alias or name
        for m in models
        if m.__module__ == programme.__name__
        for name, f in m.model_fields.items()
    }
    return tuple(sorted(names))


def _dotted(where: Location) -> str:
    return ".".join(map(str, where))
