"""An audience that comes due becomes one plan a person; with a reason for everybody left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.trigger.domain.audience import No, Person, choose, person_fits, sampled, uncovered
from services.trigger.domain.decisions import of_person, of_plan
from services.trigger.domain.model import Account, Decision, Organisation, Plan, PlanState, Scalar, plan_id
from services.trigger.domain.moments import moment_of
from services.trigger.domain.programme import Edition
from shared.contracts.reasons import Outcome, Reason
from shared.values import altered

Resolved = tuple[Plan | None, Decision]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody whom an audience may mean, with their accounts, and when each was last asked."""

    people: Sequence[Person]
    accounts: Mapping[UUID, Account] = field(default_factory=dict)
    asked: Mapping[UUID, datetime] = field(default_factory=dict)


def expand(
    parent: Plan, edition: Edition, crowd: Crowd, organisation: Organisation, now: datetime
) -> Iterator[Resolved]:
    """One plan for each person of an audience that comes due now, or a decision why not."""
    by_account: dict[UUID | None, list[Person]] = {}
    audience = edition.programme.audience
    for person in crowd.people:
        account = account_of(parent, person, crowd)
        refusal = person_fits(audience, person, account)
        if refusal is None:
            by_account.setdefault(account.id if account else None, []).append(person)
        else:
            yield None, of_person(parent, person.contact, refusal)
    for people in by_account.values():
        yield from _of_account(parent, edition, people, crowd, organisation, now)


def _of_account(
    parent: Plan,
    edition: Edition,
    people: Sequence[Person],
    crowd: Crowd,
    organisation: Organisation,
    now: datetime,
) -> Iterator[Resolved]:
    audience = edition.programme.audience
    chosen, covered, surplus = choose(audience, people, crowd.asked)
    for person in surplus:
        facts: dict[str, Scalar] = {"max_per_account": audience.max_per_account}
        yield None, of_person(parent, person.contact, No(Reason.SAMPLED_OUT, facts))
    missing = uncovered(audience, people) if audience.coverage else {}
    for persona, number in missing.items():
        facts = {"field": "coverage", "wanted": persona, "missing": number}
        yield None, of_plan(parent, Outcome.NOT_MATCHED, Reason.NOT_IN_AUDIENCE, facts)
    for person in chosen:
        plan = child_of(parent, edition, person, account_of(parent, person, crowd), organisation)
        if person.contact.id not in covered and not sampled(audience, plan.id):
            yield None, of_person(parent, person.contact, No(Reason.SAMPLED_OUT, {"sample": audience.sample}))
        elif edition.programme.when.recurring and plan.stale_at <= now:
            facts = {"stale_at": plan.stale_at.isoformat()}
            yield None, of_person(parent, person.contact, No(Reason.EXPIRED, facts))
        else:
            facts = {"due_at": plan.due_at.isoformat(), "touchpoint": parent.moment.touchpoint}
            yield plan, of_plan(plan, Outcome.PLANNED, None, facts)


def child_of(
    parent: Plan, edition: Edition, person: Person, account: Account | None, organisation: Organisation
) -> Plan:
    """The plan of one person of an audience."""
    contact = person.contact
    due_at, stale_at = moment_of(edition, parent.moment, contact, account, organisation)
    return altered(
        parent,
        id=plan_id(parent.programme, parent.subject, parent.occurrence, contact.id, shadow=parent.shadow),
        contact_id=contact.id,
        account_id=account.id if account else None,
        first_due_at=due_at,
        due_at=due_at,
        stale_at=stale_at,
        state=PlanState.PENDING,
        reason=None,
        waits_for=None,
    )


def account_of(parent: Plan, person: Person, crowd: Crowd) -> Account | None:
    """The account at which a person of an audience is asked: the audience's own, else theirs."""
    found = parent.account_id or person.contact.account_id
    return crowd.accounts.get(found) if found else None
