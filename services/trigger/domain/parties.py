"""Who takes part in what: products, projects, contracts and roles at an account, as events tell of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from services.trigger.domain.model import Account, Contact, Plan
from services.trigger.domain.moments import account_subject
from services.trigger.domain.programme import Edition, Who
from shared.contracts.touchpoints import Touchpoint
from shared.values import Value

USES = timedelta(days=90)
"""Whoever was not seen with a product for longer does not use it."""

TAKES_PART = timedelta(days=3660)
"""Projects and contracts last long; whoever was ever named in theirs takes part."""

NAMED_IN = frozenset({Who.PROJECT, Who.CONTRACT})
"""Of what belongs to one company and has people of others in it, too."""


class Seen(Value, frozen=True):
    """Somebody in an event about something; `role` as the event says, "" when it does not."""

    subject: str
    contact_id: UUID
    role: str
    at: datetime


def seen_in(
    told: Touchpoint,
    account: Account | None,
    folk: Iterable[tuple[UUID, str]],
    kinds: Container[Who] = frozenset(Who),
) -> Iterator[Seen]:
    """Who takes part in what, as far as an event tells.

    Args:
        told: The event.
        account: Its company.
        folk: Its people with their roles.
        kinds: What it is asked for; `account` stands for roles at one.
    """
    about = told.subject
    subjects = []
    if about and about.kind in NAMED_IN and about.kind in kinds:
        subjects.append(f"{about.kind}:{about.id}")
    if told.product and Who.PRODUCT in kinds:
        subjects.append(f"product:{told.product}")
    own = account_subject(account.id) if account and Who.ACCOUNT in kinds else ""
    for contact_id, role in folk:
        for subject in subjects:
            yield Seen(subject, contact_id, role, told.occurred_at)
        if own and role:
            yield Seen(own, contact_id, role, told.occurred_at)


def taken_part_in(plan: Plan, edition: Edition) -> str:
    """What the people of an audience take part in; "" when it names nothing."""
    match edition.programme.audience.who:
        case Who.PRODUCT:
            return f"product:{plan.moment.product}"
        case Who.PROJECT | Who.CONTRACT as kind:
            return f"{kind}:{plan.moment.subject_id}" if plan.moment.subject_kind == kind else plan.subject
        case _:
            return account_subject(plan.account_id) if plan.account_id else ""


def open_to(plan: Plan, edition: Edition, contact: Contact) -> bool:
    """Whether an audience asks people of somebody's company at all.

    Projects and contracts are also those of partners who take part; a product is used everywhere, but an
    audience of one account means its own users.
    """
    if edition.programme.audience.who in NAMED_IN:
        return True
    anywhere = plan.account_id is None and not of_account(edition)
    return anywhere or plan.account_id == contact.account_id


def abroad(plan: Plan) -> str:
    """What an audience of some account is about in which people of others may take part; "" for nothing."""
    moment = plan.moment
    bound = plan.contact_id is None and plan.account_id is not None and moment.subject_kind in NAMED_IN
    return f"{moment.subject_kind}:{moment.subject_id}" if bound else ""


def of_account(edition: Edition) -> bool:
    """Whether an audience is looked for among the people of an account."""
    return edition.programme.audience.who in {Who.ACCOUNT, Who.EVENT}


def needs_roles(edition: Edition) -> bool:
    """Whether an audience asks who takes part in what."""
    return not of_account(edition) or bool(edition.programme.audience.role)


def takes_turns(edition: Edition) -> bool:
    """Whether an audience asks who was asked longest ago."""
    audience = edition.programme.audience
    return bool(audience.max_per_account or audience.coverage)
