"""A changed programme and the plans of its old editions: made anew by its rules of today, or called off.

A plan keeps its identity, so nobody is asked twice. What cannot be told any more is not guessed: a plan whose
moment, subject or kind of audience the programme no longer has is called off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from services.trigger.domain.audience import No, Person, facts_of, meets, person_fits, sampled
from services.trigger.domain.book import World
from services.trigger.domain.decisions import of_plan
from services.trigger.domain.model import Account, Contact, Decision, Organisation, Plan, PlanState, Scalar
from services.trigger.domain.moments import moment_of
from services.trigger.domain.programme import Edition
from services.trigger.domain.series import ahead, leads
from services.trigger.domain.when import ACCOUNT_START, RENEWAL
from shared.contracts.reasons import Outcome, Reason
from shared.contracts.touchpoints import Touchpoint
from shared.values import altered

Replanned = tuple[Plan, Decision]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A plan that waits, with whom it is about; `role` as far as it is still known."""

    plan: Plan
    contact: Contact | None = None
    account: Account | None = None
    role: str = ""


def replan(
    waiting: Waiting, old: Edition, new: Edition, organisation: Organisation, now: datetime
) -> Replanned:
    """What becomes of a plan that was made with an old edition: the plan as it stands then, and the line."""
    plan = waiting.plan
    refusal = _other_kind(plan, old, new) or _filtered(waiting, old, new) or _not_meant(waiting, old, new)
    if refusal:
        gone = altered(plan, state=PlanState.CANCELLED, reason=refusal.reason, waits_for=None)
        return gone, of_plan(
            gone, Outcome.CANCELLED, refusal.reason, {**refusal.inputs, "edition": "changed"}
        )
    fresh = _dated(waiting, new, organisation, now)
    if fresh.stale_at <= now:
        facts: dict[str, Scalar] = {"stale_at": fresh.stale_at.isoformat(), "edition": "changed"}
        late = altered(fresh, state=PlanState.SUPPRESSED, reason=Reason.EXPIRED)
        return late, of_plan(late, Outcome.SUPPRESSED, Reason.EXPIRED, facts)
    told: dict[str, Scalar] = {"due_at": fresh.due_at.isoformat(), "touchpoint": fresh.moment.touchpoint}
    if fresh.first_due_at != plan.first_due_at:
        told["moved_from"] = plan.first_due_at.isoformat()
    return fresh, of_plan(fresh, Outcome.PLANNED, Reason.REPLANNED, told, until=fresh.due_at)


def outcome_of(decision: Decision) -> str:
    """How the counts name it: `moved`, `kept` (same time, new edition), or the reason why not."""
    if decision.outcome is Outcome.PLANNED:
        return "moved" if "moved_from" in decision.inputs else "kept"
    return str(decision.reason)


def _other_kind(plan: Plan, old: Edition, new: Edition) -> No | None:
    """Why a plan does not fit the programme at all any more."""
    was, now = old.programme, new.programme
    starts = (*now.when.starts_on, *((RENEWAL,) if now.when.before else ()))
    moment = plan.moment.touchpoint
    dated = now.when.before and plan.moment.renewal_on is not None
    if not dated and moment not in (*starts, *((ACCOUNT_START,) if now.when.from_account_start else ())):
        return No(Reason.SUPERSEDED, {"why": f"the programme no longer asks after {moment}"})
    if was.when.per is not now.when.per:
        return No(Reason.SUPERSEDED, {"why": f"the programme now counts per {now.when.per}"})
    if was.audience.who is not now.audience.who:
        return No(Reason.SUPERSEDED, {"why": f"the programme now asks those of the {now.audience.who}"})
    series = (was.when.every, was.when.anchor) != (now.when.every, now.when.anchor)
    if series and not leads(plan, new):
        return No(Reason.SUPERSEDED, {"why": "the programme now asks at other times"})
    return None


def _filtered(waiting: Waiting, old: Edition, new: Edition) -> No | None:
    """Why the programme no longer means this event, if its conditions are others."""
    known = facts_of(_told(waiting.plan), waiting.account)
    for field, wanted in new.programme.when.where.items():
        changed = old.programme.when.where.get(field) != wanted
        if changed and not any(meets(found, wanted) for found in _readings(known.get(field))):
            return No(Reason.FILTERED, {"field": field, "found": known.get(field)})
    return None


def _not_meant(waiting: Waiting, old: Edition, new: Edition) -> No | None:
    """Why the programme no longer means this person, if its audience is another."""
    audience = new.programme.audience
    if waiting.contact is None or audience == old.programme.audience:
        return None
    known = audience if waiting.role else audience.model_copy(update={"role": ()})
    refusal = person_fits(known, Person(waiting.contact, waiting.role), waiting.account)
    if refusal is None and not sampled(audience, waiting.plan.id):
        return No(Reason.SAMPLED_OUT, {"sample": audience.sample})
    return refusal


def _dated(waiting: Waiting, new: Edition, organisation: Organisation, now: datetime) -> Plan:
    """The plan with the new edition's times; it passes the whole gate again."""
    fresh = altered(waiting.plan, version=new.version, priority=new.programme.priority, waits_for=None)
    if leads(fresh, new):
        return ahead(fresh, new, waiting.contact, waiting.account, World((), organisation, now))
    due_at, stale_at = moment_of(new, fresh.moment, waiting.contact, waiting.account, organisation)
    return altered(fresh, first_due_at=due_at, due_at=due_at, stale_at=stale_at)


def _told(plan: Plan) -> Touchpoint:
    """The event of a plan, as far as the plan remembers it."""
    moment = plan.moment
    return Touchpoint.model_construct(
        occurred_at=moment.at,
        product=moment.product,
        service_type=moment.service_type,
        context=dict(moment.context),
    )


def _readings(found: Scalar) -> Iterator[Scalar]:
    """What a value may have been in the event: a plan remembers the text of it."""
    yield found
    if found in {"True", "False"}:
        yield found == "True"
    for read in (int, float):
        with suppress(ValueError):
            yield read(found) if isinstance(found, str) else found
