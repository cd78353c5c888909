"""Series: the same question every so often, one plan ahead at any time.

The plan ahead is the audience's where one is resolved later, else the person's own. When it comes due, the
next is planned, with the programme as it stands then; what ends the series calls off the plan ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from services.trigger.domain.book import Book, World
from services.trigger.domain.decisions import of_plan
from services.trigger.domain.model import Account, Contact, Decision, Moment, Plan, PlanState, plan_id
from services.trigger.domain.moments import account_subject, anchor_of, first_period, moment_of
from services.trigger.domain.programme import Edition, Who
from services.trigger.domain.when import ACCOUNT_START
from shared.contracts.programmes import ProgrammeState
from shared.contracts.reasons import Outcome, Reason
from shared.values import altered

STOPPED = frozenset({Reason.PROGRAMME_ARCHIVED, Reason.SHADOW})
"""The operator stopped the programme, not its customer: when it runs again, so does the series."""


def ahead(
    plan: Plan,
    edition: Edition,
    contact: Contact | None,
    account: Account | None,
    world: World,
    after: datetime | None = None,
) -> Plan:
    """The plan at the first time of its series that is not yet over, and later than `after`."""
    period = first_period(edition, plan.moment.at, world.now)
    while True:
        moment = altered(plan.moment, period=period)
        due_at, stale_at = moment_of(edition, moment, contact, account, world.organisation)
        if stale_at > world.now and (after is None or due_at > after):
            return altered(plan, moment=moment, first_due_at=due_at, due_at=due_at, stale_at=stale_at)
        period += 1


def leads(plan: Plan, edition: Edition) -> bool:
    """Whether a plan is the one ahead of its series; one person of a resolved audience is not."""
    rules = edition.programme
    return rules.when.recurring and (plan.contact_id is not None) == (rules.audience.who is Who.EVENT)


def following(
    plan: Plan, edition: Edition, contact: Contact | None, account: Account | None, world: World
) -> Plan | None:
    """The plan after one that came due; None when the programme asks no more, or no more in a series."""
    if edition.state is ProgrammeState.ARCHIVED or plan.shadow is not edition.shadow:
        return None
    if not leads(plan, edition):
        return None
    number = plan.occurrence + 1
    fresh = altered(
        plan,
        id=plan_id(plan.programme, plan.subject, number, plan.contact_id, shadow=plan.shadow),
        version=edition.version,
        occurrence=number,
        priority=edition.programme.priority,
        state=PlanState.PENDING,
        reason=None,
        waits_for=None,
    )
    return ahead(fresh, edition, contact, account, world, after=plan.first_due_at)


def needs_series(before: Account, after: Account) -> bool:
    """Whether an account became known just now, or its start moved."""
    return bool(after.version) and (not before.version or before.started_on != after.started_on)


def begin_series(accounts: Iterable[Account], world: World, book: Book) -> Iterator[Decision]:
    """Plan, or move, the series that begin with an account's start; those that were ended stay so."""
    for account in accounts:
        for edition in world.catalogue.series:
            plans = [p for p in book.of(edition, account_subject(account.id)) if p.contact_id is None]
            yield from _begin(account, edition, plans[-1] if plans else None, world, book)


def _begin(
    account: Account, edition: Edition, last: Plan | None, world: World, book: Book
) -> Iterator[Decision]:
    anchor = anchor_of(account, edition)
    known = last and last.state in {PlanState.PENDING, PlanState.CANCELLED} and last.reason not in STOPPED
    if last and known and last.moment.at == anchor:
        return
    moved = last is not None and last.state is PlanState.PENDING
    number = last.occurrence + (0 if moved else 1) if last else 1
    subject = account_subject(account.id)
    fresh = Plan(
        id=plan_id(edition.key, subject, number, None, shadow=edition.shadow),
        programme=edition.key,
        version=edition.version,
        subject=subject,
        occurrence=number,
        contact_id=None,
        account_id=account.id,
        moment=Moment(touchpoint=ACCOUNT_START, at=anchor),
        first_due_at=anchor,
        due_at=anchor,
        stale_at=anchor,
        priority=edition.programme.priority,
        shadow=edition.shadow,
    )
    # Nobody whose start is unknown is asked before they may have had one whole period.
    early = None if account.started_on else world.now
    after = last.first_due_at if last and not moved else early
    plan = ahead(fresh, edition, None, account, world, after)
    book.put(plan)
    facts = {"due_at": plan.due_at.isoformat(), "touchpoint": plan.moment.touchpoint}
    yield of_plan(plan, Outcome.PLANNED, Reason.SUPERSEDED if moved else None, facts, until=plan.due_at)
