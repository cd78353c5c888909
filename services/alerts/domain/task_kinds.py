"""What tasks there are after answers, and what each means (R73, R74, R79)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from services.alerts.domain.matching import ANYTHING, Match, Rule
from shared.contracts.responses import Mood

LONGEST = 730
"""Most days that a task may wait, or keep the next one of its kind waiting."""


class Per(StrEnum):
    """Whom a task is about: no second one of its kind is open for the same."""

    ACCOUNT = "account"
    CONTACT = "contact"


class After(StrEnum):
    """After which answers a task opens although no programme names it."""

    UNHAPPY = "unhappy"
    PASSIVE = "passive"
    HAPPY = "happy"


class TaskRule(Rule):
    """What a task of one name means here; what is left out is as it is built in."""

    title: str | None = Field(None, min_length=1, max_length=80, description="what to do, in a few words")
    due_days: int | None = Field(None, ge=1, le=LONGEST, description="days from the answer to the deadline")
    again_after_days: int | None = Field(
        None, ge=0, le=LONGEST, description="days after an answer in which no second one of its kind opens"
    )
    per: Per | None = Field(None, description="whom it is about: of each there is one open at most")
    after: After | None = Field(
        None, description="opens after every such answer; left out: where a programme names it"
    )
    when: Match = Field(default_factory=Match, description="with `after`: after which of those answers")
    consent: bool | None = Field(None, description="done only once it is written down that they agreed")
    referrals: bool | None = Field(None, description="whether referrals are kept with it")


@dataclass(frozen=True, slots=True)
class TaskKind:
    """What a task of one name means.

    Attributes:
        due: from the answer to the deadline.
        spacing: how long after an answer that led to one no second one opens.
        consent: something of theirs is published, so it is done only once they agreed.
        quotes: what is published are words of theirs, so an answer that may be quoted is enough.
        referrals: whom they recommended us to is kept with it (R75).
    """

    key: str
    title: str
    due: timedelta
    spacing: timedelta
    per: Per = Per.CONTACT
    after: Mood | None = None
    when: Match = ANYTHING
    consent: bool = False
    referrals: bool = False
    quotes: bool = False


def _kind(key: str, title: str, due: int, spacing: int, per: Per = Per.CONTACT) -> TaskKind:
    return TaskKind(key, title, timedelta(days=due), timedelta(days=spacing), per)


_PASSIVE = (
    _kind("quarterly_follow_up", "Ask how it has gone since", 90, 90, Per.ACCOUNT),
    _kind("improvement", "Ask what would make it better", 14, 90),
    _kind("upsell_review", "See what more would help them", 21, 180, Per.ACCOUNT),
    _kind("renewal_talk", "Talk about the renewal", 14, 180, Per.ACCOUNT),
    _kind("next_project", "Talk about the next project", 21, 90, Per.ACCOUNT),
    _kind("process_review", "Look at how it was handled", 14, 30, Per.ACCOUNT),
    _kind("product_backlog", "Take it to the product team", 14, 30),
    _kind("feature_news", "Show them what is new for them", 14, 90),
    _kind("event_invitation", "Invite them to the next event", 21, 180),
)
_HAPPY = (
    replace(_kind("referral", "Ask whom they would recommend us to", 14, 180), referrals=True),
    _kind("review", "Ask for a review", 14, 180),
    replace(_kind("testimonial", "Ask for words that we may quote", 14, 365), consent=True, quotes=True),
    replace(_kind("case_study", "Ask for a case study", 21, 365, Per.ACCOUNT), consent=True),
    replace(_kind("success_story", "Ask for their success story", 21, 365, Per.ACCOUNT), consent=True),
    _kind("beta_group", "Invite them to the beta group", 14, 365),
    replace(_kind("ambassador", "Invite them to be an ambassador", 30, 365), referrals=True),
    _kind("reward", "Thank them with a reward", 14, 365),
    _kind("follow_up_call", "Call, and ask what else would help", 14, 180, Per.ACCOUNT),
    _kind("thank_team", "Pass their thanks on to the team", 7, 30, Per.ACCOUNT),
)
_UNHAPPY = (
    _kind("support_training", "See what training the team needs, and plan it", 14, 30, Per.ACCOUNT),
    _kind("process_change", "See what in our process went wrong, and change it", 14, 30, Per.ACCOUNT),
    _kind("take_part", "Agree with them on how they take part", 7, 0),
)
BUILT_IN: Mapping[str, TaskKind] = {kind.key: kind for kind in (*_PASSIVE, *_HAPPY, *_UNHAPPY)}
"""Tasks that need no configuration: a programme names them, or a customer's yes opens them."""


def kind_of(key: str, rules: Mapping[str, TaskRule]) -> TaskKind:
    """What a task of this name means here; one that nobody describes is done within two weeks."""
    found = BUILT_IN.get(key) or _kind(key, key.replace("_", " ").capitalize(), 14, 90)
    rule = rules.get(key)
    if rule is None:
        return found
    return TaskKind(
        key,
        found.title if rule.title is None else rule.title,
        found.due if rule.due_days is None else timedelta(days=rule.due_days),
        found.spacing if rule.again_after_days is None else timedelta(days=rule.again_after_days),
        found.per if rule.per is None else rule.per,
        None if rule.after is None else Mood(rule.after.value),
        rule.when,
        found.consent if rule.consent is None else rule.consent,
        found.referrals if rule.referrals is None else rule.referrals,
        found.quotes,
    )


def kinds(rules: Mapping[str, TaskRule]) -> tuple[TaskKind, ...]:
    """All that are described, in the order in which they are shown."""
    return tuple(kind_of(key, rules) for key in dict.fromkeys((*BUILT_IN, *rules)))
