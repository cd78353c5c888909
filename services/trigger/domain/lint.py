"""`afterword programmes check`.

Is what a programme says a good idea? Every complaint says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from email.utils import parseaddr
from itertools import pairwise

from services.trigger.domain import placeholders, programme
from services.trigger.domain.asking import Asked
from services.trigger.domain.contradictions import contradictions
from services.trigger.domain.findings import GROUPS_FILE, Checked, Finding, GroupsRead, Report
from services.trigger.domain.overlaps import overlaps
from services.trigger.domain.programme import Programme
from services.trigger.domain.reading import read_file, read_groups
from services.trigger.domain.timing import Span
from services.trigger.domain.when import ACCOUNT_START
from shared.config.documents import Location
from shared.config.wording import meant
from shared.contracts.forms import SCALES, QuestionType
from shared.contracts.model import Family
from shared.contracts.touchpoints import PRESET_TOUCHPOINTS
from shared.wrong import nearest

LENGTH = {Family.TRANSACTIONAL: 3, Family.RELATIONSHIP: 7, Family.PROGRESS: 3}
"""Most questions asked of one person (R39)."""

SHORTEST_RELATIONSHIP = 5
LONGEST_OPEN_DAYS = 45
SHORT_MOMENT_DAYS = 7
"""A moment that is over so soon cannot always wait for the best weekday."""

HALF_YEAR = Span(months=6)
LONGEST_QUARANTINE = timedelta(days=730)
ALIKE = 0.9
"""From here on two names of events are taken for one with a slip, of 1."""


NO_REPLY = ("no-reply", "noreply", "no_reply", "donotreply", "do-not-reply", "no-responder", "svara-ej")


def check(files: Iterable[tuple[str, str]], locales: Sequence[str]) -> Report:
    """Check a folder of programmes.

    Args:
        files: Name and text of each.
        locales: Languages in which every text must be there.
    """
    programmes: list[Checked] = []
    findings: list[Finding] = []
    groups = GroupsRead()
    for name, text in sorted(files):
        if name.rpartition("/")[2] == GROUPS_FILE:
            groups, complaints = read_groups(name, text)
        else:
            read, complaints = read_file(name, text)
            programmes += read
        findings += complaints
    for checked in programmes:
        findings += lint(checked, locales)
    findings += contradictions(programmes, groups)
    findings += overlaps(programmes)
    ordered = sorted(dict.fromkeys(findings), key=lambda f: (f.file, f.line, f.reason))
    return Report(tuple(programmes), tuple(ordered), groups)


def lint(checked: Checked, locales: Sequence[str]) -> Iterator[Finding]:
    """Everything questionable about one readable programme."""
    yield from _length(checked)
    yield from _open_question(checked)
    yield from _sending(checked)
    yield from _texts(checked, locales)
    yield from _scales(checked)
    yield from _conditions(checked)
    yield from _moments(checked)
    yield from _events(checked)
    yield from _senders(checked)
    yield from _places(checked)


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
    patient = checked.edition.programme.when.fresh_for.rough.days > SHORT_MOMENT_DAYS
    if patient and not isinstance(send.window, str) and {"mon", "fri"} & set(send.window.days):
        yield checked.warning(
            ("send", "window", "days"), "sends on Monday or Friday (R46).", "Prefer tue, wed, thu."
        )
    if not send.open_for.rough:
        yield checked.error(("send", "open_for"), "the survey closes at once.", "Write for example 30d.")
    yield from _reminding(checked)


def _reminding(checked: Checked) -> Iterator[Finding]:
    send = checked.edition.programme.send
    if send.reminders and not send.reminders[0].after.rough:
        yield checked.error(
            ("send", "reminders"), "a reminder goes out with the invitation.", "Write for example after: 4d."
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

    yield from _cadence(checked)
    yield from _spacing(checked)


def _spacing(checked: Checked) -> Iterator[Finding]:
    """Quarantines and budgets longer than asks are remembered, and budgets over no time at all."""
    rules = checked.edition.programme.quarantine
    spans: dict[Location, Span | None] = {("contact",): rules.contact, ("family",): rules.family}
    if rules.account:
        spans["account", "per"] = rules.account.per
    for where, span in spans.items():
        if span and span.rough > LONGEST_QUARANTINE:
            yield checked.error(
                ("quarantine", *where),
                f"{span.text} is longer than asks are remembered.",
                "Write 2y at most.",
            )
    if rules.account and not rules.account.per.rough:
        yield checked.error(
            ("quarantine", "account", "per"), "a budget over no time.", "Write for example per: 30d."
        )


def _cadence(checked: Checked) -> Iterator[Finding]:
    rules = checked.edition.programme
    every = rules.when.every
    if rules.family is Family.RELATIONSHIP and every.rough > HALF_YEAR.rough and not rules.when.rare_because:
        reason = f"asks every {every.text}, rarer than half-yearly (R53)."
        yield checked.warning(("when", "every"), reason, "Ask more often, or say why in when.rare_because.")
    held = rules.quarantine.contact
    if rules.when.recurring and not rules.quarantine.exempt and every.rough <= held.rough:
        reason = f"asks every {every.text}, but holds itself back for {held.text} after each question."
        yield checked.error(("when", "every"), reason, "Shorten quarantine.contact, or ask less often.")
    if rules.when.recurring and not rules.when.until:
        yield checked.warning(
            ("when", "every"), "a series without an end.", "Write until, for example [contract.ended]."
        )


def _events(checked: Checked) -> Iterator[Finding]:
    """Names of events that look like a known one misspelt: a programme that waits for it never asks."""
    when = checked.edition.programme.when
    holds = [name for rule in when.own_holds for name in (*rule.starts, *rule.until)]
    named: dict[Location, Sequence[str]] = {
        ("when", "touchpoint"): when.touchpoint,
        ("when", "anchor"): [when.anchor] if when.anchor else [],
        ("when", "until"): when.until,
        ("when", "cancel_on"): when.cancel_on,
        ("when", "hold_while"): holds,
    }
    known = (*PRESET_TOUCHPOINTS, ACCOUNT_START)
    for where, names in named.items():
        for name in names:
            close = nearest(name, known, alike=ALIKE)
            if close and close != name:
                advice = f"Did you mean {close!r}? If a backend does send {name!r}, leave it."
                yield checked.warning(where, f"{name!r} is no event that is known here.", advice)


def _places(checked: Checked) -> Iterator[Finding]:
    rules = checked.edition.programme
    wanted, budget = sum(rules.audience.coverage.values()), rules.quarantine.account
    if rules.keeps_places and budget and wanted > budget.max:
        reason = (
            f"coverage wants {wanted} people of an account, but its budget has {budget.max} within "
            f"{budget.per.text}: they are never all asked within that time."
        )
        yield checked.warning(
            ("quarantine", "account"), reason, "Raise max, or let coverage want fewer people."
        )


def _senders(checked: Checked) -> Iterator[Finding]:
    for sender in checked.edition.programme.send.senders:
        if any(word in sender.lower() for word in NO_REPLY):
            yield checked.error(
                ("send", "from"), "a no-reply sender (R51).", "Let a person sign who reads the replies."
            )
        elif sender and "@" not in parseaddr(sender)[1]:
            yield checked.error(
                ("send", "from"), f"{sender!r} has no address.", "Write Name <name@company.example>."
            )
        for name in placeholders.used(sender):
            if name != "account_owner":
                reason = f"unknown placeholder {{{name}}}."
                yield checked.error(("send", "from"), reason, "Only {account_owner} may sign.")


def _conditions(checked: Checked) -> Iterator[Finding]:
    """Conditions that no answer meets, and items that are there twice."""
    questions = checked.edition.programme.questions
    by_id = {question.id: question for question in questions}
    for index, question in enumerate(questions):
        where: Location = ("questions", index)
        for name in question.when:
            if found := _never_met(question, by_id[name]):
                yield checked.error((*where, "when", name), f"never shown: {found[0]}.", found[1])
        ids = [item.id for item in question.items]
        if len(set(ids)) < len(ids):
            yield checked.error((*where, "items"), "an item is there twice.", "Give each its own id.")


def _never_met(question: Asked, earlier: Asked) -> tuple[str, str] | None:
    """Why no answer to an earlier question makes another one shown, and what to do; None = some does."""
    bound = question.when[earlier.id]
    if earlier.type in DEFAULT_SCORED:
        low, high = SCALES[earlier.type]
        if any(_shown(question, earlier.id, value) for value in range(low, high + 1)):
            return None
        reason = f"no answer from {low} to {high} meets the condition on {earlier.id!r}"
        return reason, "Write bounds within the scale."
    options = ["yes"] if earlier.type is QuestionType.CONSENT else [item.id for item in earlier.items]
    if earlier.type in CHOSEN and bound.gte is None and bound.lte is None and bound.eq in options:
        return None
    reason = f"no answer to {earlier.id!r}, of type {earlier.type}, meets this condition"
    if earlier.type in CHOSEN and options:
        return reason, f"Write eq: and one of {', '.join(options)}."
    return reason, "Put the condition on a score or a choice."


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
CHOSEN = frozenset({QuestionType.SINGLE, QuestionType.MULTIPLE, QuestionType.BRAND, QuestionType.CONSENT})
CHOICES = frozenset({QuestionType.MATRIX, QuestionType.SINGLE, QuestionType.MULTIPLE, QuestionType.BRAND})


TRANSLATE = (
    "Translate it; which languages are needed is a setting of the organisation (of this check: --locale)."
)


def _texts(checked: Checked, locales: Sequence[str]) -> Iterator[Finding]:
    for where, texts in local_texts(checked.edition.programme):
        if missing := [locale for locale in locales if not texts.get(locale, "").strip()]:
            yield checked.error(where, f"no text in {', '.join(missing)}.", TRANSLATE)
        for locale, text in texts.items():
            for name in placeholders.unknown(text):
                yield checked.error(
                    (*where, locale), f"unknown placeholder {{{name}}}.", meant(name, placeholders.KNOWN)
                )


def local_texts(rules: Programme) -> Iterator[tuple[Location, dict[str, str]]]:
    """Every text that a customer reads, with its place."""
    yield ("title",), rules.title
    yield ("letter", "subject"), rules.letter.subject
    for index, line in enumerate(rules.letter.subjects):
        yield ("letter", "subjects", index, "text"), line.text
    yield ("letter", "intro"), rules.letter.intro
    for where, texts in (
        (("letter", "reminder"), rules.letter.reminder),
        (("send", "incentive"), rules.send.incentive),
    ):
        if texts:
            yield where, texts
    yield from _link_texts(rules)
    for index, question in enumerate(rules.questions):
        yield ("questions", index, "text"), question.text
        for name, texts in (("low_label", question.low_label), ("high_label", question.high_label)):
            if texts:
                yield ("questions", index, name), texts
        for number, item in enumerate(question.items):
            yield ("questions", index, "items", number, "text"), item.text


def _link_texts(rules: Programme) -> Iterator[tuple[Location, dict[str, str]]]:
    loop = rules.close_the_loop
    for group, follow_up in (("neutral", loop.neutral), ("happy", loop.happy)):
        for index, link in enumerate(follow_up.links if follow_up else ()):
            yield ("close_the_loop", group, "links", index, "text"), link.text
