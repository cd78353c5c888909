"""A test of a programme: the real mail and the real page, to somebody who tries it, marked as a test.

It is no plan and no ask: it counts in no cap, no score and no rate, opens no ticket, and goes at any hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.trigger.domain.model import Account, Contact, Moment, Organisation, Plan, identity
from services.trigger.domain.programme import Edition
from services.trigger.domain.survey import Request, survey_of
from services.trigger.domain.when import BY_HAND, RENEWAL
from shared.contracts.forms import SCALES, Bounds, Letter
from shared.contracts.model import Channel, LocalText, Persona
from shared.contracts.surveys import SurveyRequested
from shared.values import altered

_MARK = {"en": "[Test]", "es": "[Prueba]", "sv": "[Test]"}
_NOTE = {
    "en": "This is a test. What you answer counts nowhere.",
    "es": "Esto es una prueba. Lo que responda no cuenta en ninguna parte.",
    "sv": "Detta är ett test. Det du svarar räknas ingenstans.",
}
_SAMPLE = "A-1001"
_AHEAD = timedelta(days=60)


class Like(StrEnum):
    """As whom a test is answered; the words for NPS are taken too."""

    UNHAPPY = "unhappy"
    NEUTRAL = "neutral"
    HAPPY = "happy"


ALSO = {"detractor": Like.UNHAPPY, "passive": Like.NEUTRAL, "promoter": Like.HAPPY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Who tries what, and as whom; `reference` tells one test from the next."""

    email: str
    name: str = ""
    locale: str = "en"
    persona: Persona | None = None
    like: Like | None = None
    reference: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer of a kind brings: its score, the questions that are asked, and what follows."""

    score: int
    questions: tuple[str, ...]
    follows: tuple[str, ...]


def trial_id(programme: str, reference: str) -> UUID:
    """The plan that a test would be; the same reference is the same test."""
    return identity("trial", programme, reference)


def trial_survey(
    trial: Trial, edition: Edition, contact: Contact, organisation: Organisation, now: datetime
) -> SurveyRequested:
    """The survey of a test, made as any other, with sample values where an event would have told some."""
    account = Account(id=identity("trial", "account"), name="Example Ltd", owner=trial.email)
    when = edition.programme.when
    moment = Moment(
        touchpoint=next(iter(when.starts_on), RENEWAL if when.before else BY_HAND),
        at=now,
        subject_kind=when.per.value,
        subject_id=_SAMPLE,
        renewal_on=(now + _AHEAD).date(),
    )
    plan = Plan(
        id=trial_id(edition.key, trial.reference),
        programme=edition.key,
        version=edition.version,
        subject=f"trial:{trial.reference}",
        contact_id=contact.id,
        account_id=None,
        moment=moment,
        first_due_at=now,
        due_at=now,
        stale_at=now + _AHEAD,
    )
    tester = altered(contact, locale=trial.locale, persona=trial.persona or contact.persona)
    survey = survey_of(Request(plan, edition, tester, account, organisation), now)
    return survey.model_copy(
        update={
            "snapshot": survey.snapshot.model_copy(update={"test": True, "owner": ""}),
            "letter": _marked(survey.letter),
            "channels": (Channel.EMAIL,),
            "send_hours": None,
        }
    )


def expected(edition: Edition, like: Like, locale: str) -> Expected:
    """What an answer as of somebody unhappy, neutral or happy would bring."""
    rules = edition.programme
    lowest, highest = SCALES[rules.core.type]
    neutral = min(rules.low_mark + 1, highest)
    score = {Like.UNHAPPY: max(lowest, rules.low_mark - 1), Like.NEUTRAL: neutral, Like.HAPPY: highest}[like]
    asked = [q for q in rules.form.questions if _shown(q.when, {rules.primary: score})]
    texts = tuple(q.text.get(locale) or next(iter(q.text.values()), q.id) for q in asked)
    return Expected(score, texts, tuple(_follows(edition, like)))


def _shown(when: Mapping[str, Bounds], given: Mapping[str, int]) -> bool:
    """Whether a question is asked after a score; what hangs on other answers may be, and is shown."""
    return all(_within(given[name], bounds) for name, bounds in when.items() if name in given)


def _within(score: int, bounds: Bounds) -> bool:
    return (
        (bounds.gte is None or score >= bounds.gte)
        and (bounds.lte is None or score <= bounds.lte)
        and (bounds.eq is None or score == bounds.eq)
    )


def _follows(edition: Edition, like: Like) -> list[str]:
    loop = edition.programme.loop
    if like is Like.UNHAPPY:
        ticket = (
            f"a ticket; contact within {loop.contact_within_hours} h, settled in {loop.resolve_within_hours}"
        )
        named = (("playbook", loop.playbook), ("help", loop.help), ("a task for us:", loop.unhappy_task))
        return [*([ticket] if loop.ticket else []), *(f"{what} {name}" for what, name in named if name)]
    task = loop.happy_task if like is Like.HAPPY else loop.neutral_task
    return [f"a task for the account's owner: {task}"] if task else []


def _marked(letter: Letter) -> Letter:
    """A letter that says at once that it is a test."""
    subject = _marked_subject(letter.subject)
    lines = tuple(line.model_copy(update={"text": _marked_subject(line.text)}) for line in letter.subjects)
    tags = dict.fromkeys((*letter.intro, *letter.subject))
    intro = {tag: f"{_NOTE.get(tag, _NOTE['en'])}\n\n{letter.intro.get(tag, '')}".strip() for tag in tags}
    return letter.model_copy(update={"subject": subject, "subjects": lines, "intro": intro})


def _marked_subject(subject: LocalText) -> LocalText:
    return {tag: f"{_MARK.get(tag, _MARK['en'])} {text}" for tag, text in subject.items()}
