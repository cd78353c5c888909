"""A survey link without an invitation, for a newsletter, a code on a wall, a page of the intranet (R52).

It asks nobody: no plan, no gate, no cap. Who answers is found out by the collector, or stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.trigger.domain.model import Account, Contact, Moment, Organisation, Plan, identity
from services.trigger.domain.programme import Edition
from services.trigger.domain.survey import Request, survey_of
from shared.contracts.model import Channel
from shared.contracts.surveys import SurveyShared

TOUCHPOINT = "survey.shared"
LONGEST = timedelta(days=366)
LABEL = "link"
"""The attribute of an answer that holds the link's label; a programme may break scores down by it."""


class Why(StrEnum):
    """Why a link is taken back: a code and no text, for it is kept in the log, where no name may stand."""

    NOT_NEEDED = "not_needed"
    WRONG_PLACE = "wrong_place"
    WRONG_SURVEY = "wrong_survey"
    MISUSED = "misused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A link that somebody wants; `account` is the company of all who will answer, where that is known.

    `by` is who wants it, as the audit log names them.
    """

    id: UUID
    label: str
    span: timedelta
    by: str = ""
    account: Account | None = None


def link_id(programme: str, reference: str) -> UUID:
    """The same reference is the same link."""
    return identity("shared-link", programme, reference)


def shared(wanted: Wanted, edition: Edition, organisation: Organisation, now: datetime) -> SurveyShared:
    """The event of a new link: the survey as any other would be asked, of nobody in particular."""
    plan = Plan(
        id=wanted.id,
        programme=edition.key,
        version=edition.version,
        subject=f"link:{wanted.id}",
        contact_id=wanted.id,
        account_id=wanted.account.id if wanted.account else None,
        moment=Moment(touchpoint=TOUCHPOINT, at=now, context={LABEL: wanted.label}),
        first_due_at=now,
        due_at=now,
        stale_at=now + wanted.span,
    )
    survey = survey_of(Request(plan, edition, Contact(id=wanted.id), wanted.account, organisation), now)
    return SurveyShared(
        link_id=str(wanted.id),
        label=wanted.label,
        snapshot=survey.snapshot.model_copy(update={"channel": Channel.SHARED_LINK}),
        form=survey.form,
        shared_at=now,
        closes_at=now + wanted.span,
        open_for_days=min(max((survey.closes_at - now).days, 1), 45),
        close_the_loop=survey.close_the_loop,
        slots=survey.slots,
        shared_by=wanted.by,
    )


def withdrawn(link: SurveyShared, now: datetime, why: Why, by: str) -> SurveyShared:
    """The link taken back; one that was stays as it is."""
    if link.withdrawn_at:
        return link
    changes = {"version": link.version + 1, "withdrawn_at": now, "withdrawn_by": by, "reason": why.value}
    return link.model_copy(update=changes)
